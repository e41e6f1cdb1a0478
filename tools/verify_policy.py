#!/usr/bin/env python3
r"""Verify what a log has published by a policy of witnesses, without code of linernote.

    python tools/verify_policy.py trusted.policy entry-7.tlog-proof
    python tools/verify_policy.py trusted.policy public/

It reads a C2SP tlog-policy, asks of the checkpoint that one of its logs signed it and
that its witnesses cosigned it (ledger/docs/format.md §7), and leaves all else to
`verify.py` beside it, with the key of that log. What it needs, and its exit codes, are
those of `verify.py`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools import verify  # noqa: E402
from tools.verify import Refusal  # noqa: E402
from tools.verify import Vkey  # noqa: E402
from tools.verify import need  # noqa: E402

PARSER = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
PARSER.add_argument("policy", type=Path, help="a C2SP tlog-policy: whom to believe")
PARSER.add_argument("path", type=Path, help="a .tlog-proof, or a public folder")

SIGNS, COSIGNS, ML_DSA, TIME_BYTES = b"\x01", b"\x04", b"\x06", 8
ML_DSA_BYTES = 1312
NOBODY = "none"


class Policy:
    """Logs, witnesses, groups in the order of their lines, and the quorum."""

    def __init__(self, text: str) -> None:
        self.logs: dict[str, Vkey] = {}
        self.witnesses: dict[str, Vkey] = {}
        self.unused = set[tuple[str, bytes]]()  # role and public key, of type 06
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.quorum = ""
        self.names = {NOBODY}
        self.free = set[str]()  # names that are no members yet
        *lines, rest = text.split("\n")
        need(not rest, "bad-policy", "the last line does not end", verify.INVALID)
        for number, line in enumerate(lines, 1):
            try:
                self._take(line)
            except Refusal as refusal:
                code, said, _ = refusal.args
                said = f"line {number}: {said}"
                raise Refusal(code, said, verify.INVALID) from None
        need(self.quorum, "bad-policy", "there is no quorum line", verify.INVALID)

    def _take(self, line: str) -> None:
        plain = not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line)
        need(plain, "bad-policy", "it has control characters")
        match re.split("[ \t]+", line.strip(" \t")):
            case ["log", key] | ["log", key, _] if is_ml_dsa(key):
                self._leave_unused("log", key)
            case ["witness", name, key] | ["witness", name, key, _] if is_ml_dsa(key):
                self._leave_unused("witness", key)
                self._define(name)
            case ["log", key] | ["log", key, _]:
                self.logs[key] = new_key(key, SIGNS, self.logs.values())
            case ["witness", name, key] | ["witness", name, key, _]:
                vkey = new_key(key, COSIGNS, self.witnesses.values())
                self._define(name)
                self.witnesses[name] = vkey
            case ["group", name, count, *members] if members:
                words = {"any": 1, "all": len(members)}
                least = words[count] if count in words else verify.parse_decimal(count)
                need(1 <= least <= len(members), "bad-policy", "not 1 to all members")
                known = len({*members}) == len(members) and self.free.issuperset(
                    members
                )
                need(known, "bad-policy", "a member is not above, or in two groups")
                self.free.difference_update(members)
                self._define(name)
                self.groups[name] = least, members
            case ["quorum", name]:
                first = name in self.names and not self.quorum
                need(first, "bad-policy", "a second one, or unknown")
                self.quorum = name
            case [word, *_]:
                need(word[:1] in {"", "#"}, "bad-policy", "there is no such line")

    def _define(self, name: str) -> None:
        need(name not in self.names, "bad-policy", f"the name {name!a} is taken")
        self.names.add(name)
        self.free.add(name)

    def _leave_unused(self, role: str, text: str) -> None:
        """Read a key that signs by ML-DSA-44: it counts as if it never signed."""
        name, identifier, key = [*text.split("+", 2), "", ""][:3]
        data = verify.parse_base64(key, 1 + ML_DSA_BYTES)
        need(re.fullmatch(verify.KEY_NAME, name), "bad-key-name")
        same = identifier == verify.note_id(name, data).hex()
        need(same, "bad-vkey", "the key has another id")
        again = (role, data) in self.unused
        need(not again, "bad-policy", "the public key is there already")
        self.unused.add((role, data))

    def check(self, note: str) -> tuple[str, list[str]]:
        """Verify a checkpoint; give the log's key as written, and who cosigned."""
        need(self.logs, "no-log-in-policy", "it names no log", verify.INVALID)
        origin = verify.open_note(note)[0]
        signed = [key for key, vkey in self.logs.items() if has_signed(note, vkey)]
        witnesses = self.witnesses.items()
        names = [name for name, vkey in witnesses if has_cosigned(note, vkey)]
        need(signed, "not-signed", "no log of the policy signed the checkpoint")
        own = [key for key in signed if self.logs[key][0] == origin]
        need(own, "wrong-origin", f"another log signed for {origin!a}")
        witnessed = {NOBODY, *names}
        for group, (least, members) in self.groups.items():
            if len(witnessed.intersection(members)) >= least:
                witnessed.add(group)
        absent = self.names - {*self.groups} - witnessed
        missing = [ascii(name) for name in sorted(absent)]
        said = f"the quorum is not there, without {', '.join(missing)}"
        need(self.quorum in witnessed, "policy-not-met", said)
        return own[0], names


def is_ml_dsa(text: str) -> bool:
    """Tell whether a text is meant as a key of type 06, which nothing here verifies."""
    try:
        return verify.parse_base64(text.split("+", 2)[-1])[:1] == ML_DSA
    except Refusal:
        return False


def new_key(text: str, kind: bytes, others: Iterable[Vkey]) -> Vkey:
    """Parse a key of a type, and refuse one that is there under any name."""
    vkey = verify.parse_vkey(text, kind)
    again = vkey[2] in {public for _, _, public in others}
    need(not again, "bad-policy", "the public key is there already")
    return vkey


def has_signed(note: str, vkey: Vkey) -> bool:
    """Tell whether a log signed; if it did, every signature of it has to hold."""
    try:
        verify.open_note(note, vkey)
    except Refusal as refusal:
        if refusal.args[0] != "not-signed":
            raise
        return False
    return True


def has_cosigned(note: str, vkey: Vkey) -> bool:
    """Tell whether a witness cosigned; if it did, every cosignature has to hold."""
    verify.open_note(note)  # that it is one
    text, _, tail = note.rpartition("\n\n")
    held = 0
    for line in tail[:-1].split("\n"):
        _, name, encoded = line.split(" ")
        data = verify.parse_base64(encoded)
        own, data = data[: verify.KEY_ID_BYTES], data[verify.KEY_ID_BYTES :]
        if (name, own) == vkey[:2]:
            time, signature = int.from_bytes(data[:TIME_BYTES]), data[TIME_BYTES:]
            need(time <= verify.INTEGER_MAX, "bad-signature", "beyond any time")
            message = f"cosignature/v1\ntime {time}\n{text}\n".encode()
            verify.verify_signature(vkey[2], message, signature)
            held += 1
    return held > 0


def read(path: Path) -> str:
    """Read a text of unknown octets."""
    return verify.read_file({"": path}, "").decode("utf-8", "surrogateescape")


def main(arguments: list[str] | None = None) -> int:
    """Verify by the policy, then by the log's key."""
    given = PARSER.parse_args(arguments)
    report, found, text = verify.Report(), "", ""
    with report.noting(str(given.policy)):
        policy = Policy(read(given.policy))
        with report.noting(str(given.path)):
            text = verify.read_signed(given.path)
            note = text if given.path.is_dir() else verify.parse_proof(text)[2]
            found, names = policy.check(note)
            print(f"cosigned by {', '.join(map(ascii, names)) or 'nobody'}")
    if found:
        # Not read again: by now it may be something else.
        return verify.main([str(given.path), "--vkey", found], text)
    print("\n".join(verify.summary(report, ok=False)))
    return int(report.notes[0]["status"])


if __name__ == "__main__":
    raise SystemExit(main())
