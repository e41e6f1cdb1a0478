"""Vectors of cosignatures, policies and witness messages (format.md §7; C2SP)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence

from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.cosignature import COSIGNATURE_TYPE
from ledger.tlog.cosignature import cosign
from ledger.tlog.cosignature import merge_signatures
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import Signature
from ledger.tlog.note import Vkey
from ledger.tlog.note import cosigned_message
from ledger.tlog.note import format_vkey
from ledger.tlog.note import key_id
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
from ledger.tlog.note import sign_note
from ledger.tlog.text import format_base64
from tools.vectors.case import Cases
from tools.vectors.case import bad
from tools.vectors.case import good
from tools.vectors.case import hexes
from tools.vectors.notes import KEY
from tools.vectors.notes import NAME
from tools.vectors.notes import VKEY

NAMES = ("north", "south", "west")
TIME_S = 1_700_000_000
CHECKPOINT = Checkpoint(NAME, 7, leaf_hash(b"root"))
SIGNED = sign_checkpoint(CHECKPOINT, NAME, KEY)
TEXT = parse_note(SIGNED).text
NEXT_TEXT = TEXT.replace("\n7\n", "\n8\n")
NEXT_SIGNED = sign_note(NEXT_TEXT, NAME, KEY)
SECOND_KEY = SigningKey(b"second log key".ljust(32, b"k"))
SECOND = make_vkey(NAME, SECOND_KEY.public)
OTHER = make_vkey("other.example/log", SECOND_KEY.public)


def witness_key(name: str) -> SigningKey:
    """Give the key of a witness."""
    return SigningKey(f"witness {name}".encode().ljust(32, b"w"))


def witness_vkey(name: str) -> Vkey:
    """Give the verifier key of a witness."""
    public = witness_key(name).public
    return make_vkey(f"{name}.example/w", public, COSIGNATURE_TYPE)


def by(name: str, text: str = TEXT, time_s: int = TIME_S) -> Signature:
    """Give a witness's cosignature."""
    return cosign(text, f"{name}.example/w", witness_key(name), time_s)


def merged(*signatures: Signature, signed: str = SIGNED) -> str:
    """Give the checkpoint with cosignatures."""
    return merge_signatures(signed, signatures)


def _cosignatures() -> Cases:
    vkey = format_vkey(witness_vkey("north"))
    for case, desc, time_s in (
        ("of a time", "seconds since 1970", TIME_S),
        ("of second 1", "no leading zeros", 1),
        ("of the last second", "2^63 - 1", 2**63 - 1),
    ):
        note = merged(by("north", time_s=time_s))
        fields = {"text": TEXT, "time_s": str(time_s)}
        yield f"cosignature/{case}", good(desc, note=note, vkey=vkey, **fields)
    among = merged(by("south"), by("north"), by("west"))
    fields = {"text": TEXT, "time_s": str(TIME_S)}
    yield (
        "cosignature/among others",
        good("others mean nothing", note=among, vkey=vkey, **fields),
    )
    for case, desc, data in _misleading(by("north").signature):
        signature = Signature(by("north").name, by("north").key_id, data)
        vector = bad("bad-signature", desc, note=merged(signature), vkey=vkey)
        yield f"cosignature/{case}", vector
    yield (
        "cosignature/of a stranger",
        bad("not-signed", "nobody known", note=merged(by("south")), vkey=vkey),
    )


def _misleading(right: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Give what is no cosignature of the text, although it looks like one."""
    key, time, signature = witness_key("north"), right[:8], right[8:]
    beyond = key.sign(cosigned_message(TEXT, 2**63))
    yield "time altered", "a second later", (TIME_S + 1).to_bytes(8) + signature
    yield "of another text", "replayed", by("north", NEXT_TEXT).signature
    yield "of type 01", "of the bare text", time + key.sign(TEXT.encode())
    yield "of 64 bytes", "without a time", signature
    yield "of 71 bytes", "a byte is missing", right[:-1]
    yield "of 73 bytes", "a byte too many", right + b"!"
    yield "beyond time", "2^63", (2**63).to_bytes(8) + beyond


def policy_text(*lines: str, logs: Sequence[Vkey] = (VKEY,)) -> str:
    """Give a policy of these logs, the three witnesses, and more lines."""
    named = [f"witness {name} {format_vkey(witness_vkey(name))}" for name in NAMES]
    keys = [f"log {format_vkey(log)}" for log in logs]
    return "".join(f"{line}\n" for line in (*keys, *named, *lines))


TWO_LEVELS = policy_text(
    "group far 1 south west", "group both all north far", "quorum both"
)


def _policies() -> Cases:
    keys = [format_vkey(VKEY)]
    for case, desc, text, logs, groups, quorum in (
        ("none", "no witness is asked for", policy_text("quorum none"), keys, [], None),
        ("one", "a witness", policy_text("quorum west"), keys, [], "west"),
        (
            *("groups", "a group in a group", TWO_LEVELS, keys),
            [["far", 1, "south", "west"], ["both", 2, "north", "far"]],
            "both",
        ),
        (
            *("any", "as many as one", policy_text("group g any north", "quorum g")),
            *(keys, [["g", 1, "north"]], "g"),
        ),
        (
            "spaces",
            "tabs, spaces, comments and empty lines",
            policy_text("", " \t", "# quorum x", "\t# é", " quorum \t none "),
            *(keys, [], None),
        ),
        (
            "urls",
            "they mean nothing here",
            policy_text("quorum none")
            .replace(keys[0], f"{keys[0]} https://é.example/")
            .replace("\nquorum", " x\nquorum"),
            *(keys, [], None),
        ),
        (
            "words as names",
            "their place tells",
            policy_text("group any 1 west", "group 2 all any", "quorum 2"),
            *(keys, [["any", 1, "west"], ["2", 1, "any"]], "2"),
        ),
        (
            "quorum first",
            "what follows is not asked for",
            policy_text("quorum none", "group g any west"),
            *(keys, [["g", 1, "west"]], None),
        ),
        (
            "witness of 06",
            "it has a name, and counts as if it never cosigned",
            policy_text(f"witness x {ML_DSA}", "group g 2 x west", "quorum g"),
            *(keys, [["g", 2, "x", "west"]], "g"),
        ),
        (
            *("log of 06", "as if it were not there"),
            *(policy_text(f"log {ML_DSA}", "quorum none"), keys, [], None),
        ),
        (
            *("no log", "believes nothing yet", policy_text("quorum none", logs=())),
            *([], [], None),
        ),
    ):
        fields = {"groups": groups, "logs": logs, "quorum": quorum}
        vector = good(desc, policy=text, witnesses=list(NAMES), **fields)
        yield f"policy/{case}", vector
    yield from _bad_policies()


BAD_POLICIES = (
    ("no quorum", "one is needed", ""),
    ("two quorums", "one only", "quorum none; quorum none"),
    ("unknown word", "no such line", "quorate west; quorum west"),
    ("capital word", "no such line", "Quorum west; quorum west"),
    ("forward", "defined below", "group g any h; group h any west; quorum g"),
    ("itself", "not above", "group g any west g; quorum g"),
    ("quorum unknown", "nobody", "quorum nobody"),
    ("none as member", "a word", "group g any none; quorum g"),
    ("none as group", "a word", "group none any west; quorum none"),
    ("none as witness", "a word", "witness none FRESH; quorum west"),
    ("group empty", "a member at least", "group g any; quorum g"),
    ("0 of 1", "from 1", "group g 0 west; quorum g"),
    ("2 of 1", "to all", "group g 2 west; quorum g"),
    ("twice", "a member once", "group g 2 west west; quorum g"),
    ("in two groups", "a member once", "group g any west; group h any west; quorum g"),
    ("name taken", "one namespace", "group west any north; quorum west"),
    ("key again", "would count twice", "witness x AGAIN; quorum west"),
    ("log again", "there already", "log LOG; quorum none"),
    ("06 again", "once", "witness x ML_DSA; witness y ML_DSA; quorum west"),
    ("comment after", "whole lines only", "quorum west # or not"),
    ("carriage return", "line feeds", "quorum west\r"),
    ("delete", "a control character", "# \x7f; quorum west"),
    ("no-break space", "no space here", "quorum\u00a0west"),
)
BAD_NUMBERS = (
    ("k 01", "leading zeros", "group g 01 west; quorum g"),
    ("k word", "any, all or a number", "group g x west; quorum g"),
)
BAD_KEYS = (
    ("witness of 01", "a log's key", "witness x LOG; quorum west"),
    ("log of 04", "a witness's key", "log FRESH; quorum none"),
    ("witness of 05", "signs no checkpoints", "witness x FOREIGN; quorum west"),
    ("06 with another id", "of its own key", "witness x n.ML_DSA; quorum west"),
)
"""Case, description, lines after the log and the witnesses."""


def _key_of_type(number: int, length: int) -> str:
    identifier = key_id("w.example", number, bytes(length)).hex()
    return f"w.example+{identifier}+{format_base64(bytes([number]) + bytes(length))}"


ML_DSA = _key_of_type(6, 1312)


def _bad_policies() -> Cases:
    public = witness_key("north").public
    again = make_vkey("again.example", public, COSIGNATURE_TYPE)
    named = {
        "FOREIGN": _key_of_type(5, 32),
        "ML_DSA": ML_DSA,
        "FRESH": format_vkey(witness_vkey("fresh")),
        "AGAIN": format_vkey(again),
        "LOG": format_vkey(VKEY),
    }
    for code, rows in (
        ("bad-policy", BAD_POLICIES),
        ("bad-decimal", BAD_NUMBERS),
        ("bad-vkey", BAD_KEYS),
    ):
        for case, desc, lines in rows:
            text = re.sub("|".join(named), lambda match: named[match[0]], lines)
            policy = policy_text(*text.split("; "))
            yield f"policy/{case}", bad(code, desc, policy=policy)
    cut = policy_text("quorum west", "# the end")[:-1]
    yield "policy/cut off", bad("bad-policy", "its last line has no end", policy=cut)


def _met() -> Cases:
    either_key = policy_text("quorum none", logs=(VKEY, SECOND))
    either_log = policy_text("quorum none", logs=(OTHER, VKEY))
    cases_met: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
        ("none", "the log alone", policy_text("quorum none"), ()),
        ("none cosigned", "told all the same", policy_text("quorum none"), NAMES),
        ("one", "that witness", policy_text("quorum west"), ("west",)),
        ("two levels", "north and one far", TWO_LEVELS, ("north", "west")),
        ("two keys", "either of one log", either_key, ()),
        ("two logs", "either", either_log, ()),
    )
    for case, desc, policy, names in cases_met:
        note = merged(*map(by, reversed(names)))
        fields = {"log": VKEY.key_id.hex(), "size": 7, "witnesses": list(names)}
        yield f"cosigned/{case}", good(desc, policy=policy, note=note, **fields)


def _not_met() -> Cases:
    two = policy_text("group g 2 north south west", "quorum g")
    one = policy_text("group g any north south west", "quorum g")
    alone = policy_text("quorum none", logs=())
    keys = policy_text("quorum none", logs=(VKEY, SECOND))
    logs = policy_text("quorum west", logs=(VKEY, OTHER))
    later = by("west", time_s=TIME_S + 1)
    moved = Signature(
        later.name, later.key_id, later.signature[:8] + by("west").signature[8:]
    )
    unsigned = sign_note(TEXT, NAME, SECOND_KEY)
    foreign = sign_note(TEXT, OTHER.name, SECOND_KEY)
    for case, code, desc, policy, note in (
        ("nobody", "policy-not-met", "no cosignature", one, SIGNED),
        ("1 of 2", "policy-not-met", "one too few", two, merged(by("west"))),
        (
            *("twice the same", "policy-not-met", "one witness, two times", two),
            merged(by("west"), later),
        ),
        (
            *("far only", "policy-not-met", "north is missing", TWO_LEVELS),
            merged(by("south"), by("west")),
        ),
        ("north only", "policy-not-met", "none far", TWO_LEVELS, merged(by("north"))),
        (
            *("time altered", "bad-signature", "although another holds", one),
            merged(by("north"), moved),
        ),
        (
            *("replayed", "bad-signature", "of the checkpoint before", one),
            merged(by("west"), signed=NEXT_SIGNED),
        ),
        (
            *("not the log", "not-signed", "witnesses alone", one),
            merged(by("west"), signed=unsigned),
        ),
        (
            *("another log", "wrong-origin", "under this one's name", logs),
            merged(by("west"), signed=foreign),
        ),
        (
            *("log key forged", "bad-signature", "although the other key signed", keys),
            merged(Signature(NAME, SECOND.key_id, bytes(64))),
        ),
        ("no log", "no-log-in-policy", "nobody to believe", alone, SIGNED),
    ):
        yield f"cosigned/{case}", bad(code, desc, policy=policy, note=note)


def _requests() -> Cases:
    hashes = [leaf_hash(bytes([number])) for number in range(63)]
    lines = "".join(f"{format_base64(value)}\n" for value in hashes)
    for case, desc, old_size, count in (
        ("first", "no proof", 0, 0),
        ("next", "a proof", 6, 4),
        ("same size", "nothing to prove", 7, 0),
        ("63 hashes", "as many as there may be", 5, 63),
    ):
        head = "".join(lines.splitlines(keepends=True)[:count])
        body = f"old {old_size}\n{head}\n{SIGNED}"
        fields = {"old_size": old_size, "proof": hexes(hashes[:count])}
        vector = good(desc, body=body, checkpoint=SIGNED, **fields)
        yield f"add-checkpoint/{case}", vector
    bad_message = "bad-witness-message"
    for case, code, desc, body in (
        ("64 hashes", bad_message, "too many", f"old 5\n{lines}{lines[:45]}\n{SIGNED}"),
        ("no old size", bad_message, "it is first", f"{lines}\n{SIGNED}"),
        ("old 06", "bad-decimal", "leading zeros", f"old 06\n\n{SIGNED}"),
        ("back", bad_message, "to a smaller tree", f"old 8\n\n{SIGNED}"),
        ("hash of 31", "bad-base64", "32", f"old 5\n{'A' * 40}AA==\n\n{SIGNED}"),
        ("no checkpoint", bad_message, "nothing to cosign", "old 5\n"),
        ("not signed", "bad-note", "a text alone", f"old 5\n\n{TEXT}"),
    ):
        yield f"add-checkpoint/{case}", bad(code, desc, body=body)


def cases() -> Cases:
    """Give every case."""
    yield from _cosignatures()
    yield from _policies()
    yield from _met()
    yield from _not_met()
    yield from _requests()
