"""The library reads vectors of cosignatures, policies and witness messages."""

from __future__ import annotations

from ledger.tlog.cosignature import cosignature_time
from ledger.tlog.note import format_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_vkey
from ledger.tlog.policy import check_policy
from ledger.tlog.policy import parse_policy
from ledger.tlog.witness_messages import format_request
from ledger.tlog.witness_messages import parse_request
from tools.vectors.case import Vector
from tools.vectors.case import hexes


def read_cosignature(vector: Vector) -> Vector:
    """Open a note by a witness's key; give the text, and the time that it cosigned."""
    vkey = parse_vkey(vector["vkey"])
    opened = open_note(vector["note"], [vkey])
    (time_s,) = {
        cosignature_time(signature)
        for signature in parse_note(vector["note"]).signatures
        if (signature.name, signature.key_id) == (vkey.name, vkey.key_id)
    }
    return {"text": opened.text, "time_s": str(time_s)}


def read_policy(vector: Vector) -> Vector:
    """Parse a policy; give everything in it but the URLs and witnesses' keys."""
    policy = parse_policy(vector["policy"])
    groups = [[each.name, each.threshold, *each.members] for each in policy.groups]
    return {
        "groups": groups,
        "logs": [format_vkey(log.vkey) for log in policy.logs],
        "quorum": policy.quorum,
        "witnesses": [witness.name for witness in policy.witnesses],
    }


def read_cosigned(vector: Vector) -> Vector:
    """Verify a checkpoint by a policy."""
    found = check_policy(parse_policy(vector["policy"]), vector["note"])
    size, key_id = found.checkpoint.size, found.log.key_id.hex()
    return {"log": key_id, "size": size, "witnesses": list(found.witnesses)}


def read_request(vector: Vector) -> Vector:
    """Parse what a log sends to a witness, and write it again."""
    request = parse_request(vector["body"].encode())
    return {
        "body": format_request(request).decode(),
        "checkpoint": request.checkpoint,
        "old_size": request.old_size,
        "proof": hexes(request.proof),
    }
