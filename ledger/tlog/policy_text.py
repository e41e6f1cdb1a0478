r"""The text of policies: logs, witnesses, groups and the quorum (C2SP tlog-policy).

    # what to believe, and from whom
    log example.com/log+1dde4531+ATtq… https://example.com/log
    witness north n.example/w+5a0bb3f2+BLmr…  https://n.example
    witness south s.example/w+07c3e911+BKx3…
    witness west  w.example/w+e1f2a3b4+BP2c…
    group far 1 south west          at least so many; any is 1, all is all of them
    group both all north far        members are witnesses and groups, named above
    quorum both                     exactly one such line; "none" asks for no witness

Items are apart by spaces and tabs; empty lines and lines that start with # are skipped.
Groups refer backwards and each name is a member once at most, so that groups form
trees, and no witness counts twice. Octets beyond ASCII are names and comments like any
others: nothing here depends on a version of Unicode.

>>> policy = parse_policy("# believes nobody yet\nquorum none\n")
>>> policy.logs, policy.quorum
((), None)
>>> parse_policy("group all-of-them any alone\n")
Traceback (most recent call last):
ledger.errors.FormatError: line 1 of the policy: no line above defines 'alone'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.tlog.note import COSIGNATURE_TYPE
from ledger.tlog.note import ED25519_TYPE
from ledger.tlog.note import Vkey
from ledger.tlog.note import is_ml_dsa_vkey
from ledger.tlog.note import parse_ml_dsa_vkey
from ledger.tlog.note import parse_vkey
from ledger.tlog.text import excerpt
from ledger.tlog.text import parse_decimal

NO_QUORUM = "none"
LINES_MAX = 10_000
"""Of 32 logs, witnesses and groups each, which all must accept, it is a hundredfold."""

_SPACES = re.compile(r"[ \t]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_FORMS = {
    "log": "log VKEY [URL]",
    "witness": "witness NAME VKEY [URL]",
    "group": "group NAME all|any|K MEMBER…",
    "quorum": "quorum NAME|none",
}


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log that is believed.

    Args:
        vkey: of type 01; its name is the log's origin.
        url: where the log is, as written; nothing is made of it here.
    """

    vkey: Vkey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness whose cosignature counts.

    Args:
        name: in this policy, and nowhere else.
        vkey: of type 04.
        url: where checkpoints are submitted to it, as written.
    """

    name: str
    vkey: Vkey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses and groups, of which so many have to have witnessed a checkpoint.

    Args:
        name: shares one namespace with the witnesses.
        threshold: from 1 to the number of members.
        members: names defined above the group, at least one.
    """

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What it takes to believe a checkpoint.

    Args:
        logs: any one of them; ``parse_policy`` accepts none, ``check_policy`` does not.
        witnesses: in the order of the lines.
        groups: each after what it refers to.
        quorum: name of a witness or group, or None if no cosignature is asked for.
        unverified: names of witnesses whose keys are of type 06, ML-DSA-44: nothing
            they sign is verified here, so they count as if they never cosigned.
    """

    logs: tuple[LogKey, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str | None
    unverified: tuple[str, ...] = ()


def parse_policy(text: str | bytes) -> Policy:
    """Parse a policy.

    Args:
        text: of the file; its bytes if they may be something else than UTF-8.

    Raises:
        FormatError: ``bad-policy``, or what is wrong with a key: ``bad-vkey``,
            ``bad-key-name``, ``bad-hex``, ``bad-base64``; it says in which line.
        VerificationError: ``bad-public-key``.
    """
    if isinstance(text, bytes):
        text = text.decode(errors="surrogateescape")
    *lines, rest = text.split("\n")
    if rest:
        raise _bad_policy(
            f"line {len(lines) + 1} of the policy does not end with a newline"
        )
    if len(lines) > LINES_MAX:
        raise _bad_policy(f"the policy has more than {LINES_MAX:,} lines")
    draft = _Draft()
    for number, line in enumerate(lines, 1):
        try:
            draft.add(line)
        except LedgerError as error:
            message = f"line {number} of the policy: {error.message}"
            raise type(error)(error.code, message, hint=error.hint) from None
    return draft.finish()


@dataclass(slots=True)
class _Draft:
    """A policy being read, line by line."""

    logs: dict[bytes, LogKey] = field(default_factory=dict)
    witnesses: dict[bytes, Witness] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    # Keys of a type that is not verified here, and of witnesses their names.
    others: set[tuple[str, bytes]] = field(default_factory=set)
    unverified: list[str] = field(default_factory=list)
    # Every name, and whether it is a member of a group.
    names: dict[str, bool] = field(default_factory=dict)

    def add(self, line: str) -> None:
        if _CONTROL.search(line):
            raise _bad_policy("it has control characters", hint="use spaces and tabs")
        items = _SPACES.split(line.strip(" \t"))
        match items:
            case [""]:
                pass
            case [comment, *_] if comment.startswith("#"):
                pass
            case ["log", _] | ["log", _, _]:
                self._add_log(*items[1:])
            case ["witness", _, _] | ["witness", _, _, _]:
                self._add_witness(*items[1:])
            case ["group", name, threshold, _, *_]:
                self._add_group(name, threshold, items[3:])
            case ["quorum", name]:
                self._set_quorum(name)
            case [word, *_]:
                raise _bad_policy(
                    f"{excerpt(line)} is none of its lines",
                    hint=_FORMS.get(word, " · ".join(_FORMS.values())),
                )

    def finish(self) -> Policy:
        if self.quorum is None:
            raise _bad_policy(
                "the policy has no quorum line", hint="add one: quorum NAME|none"
            )
        return Policy(
            logs=tuple(self.logs.values()),
            witnesses=tuple(self.witnesses.values()),
            groups=tuple(self.groups),
            quorum=None if self.quorum == NO_QUORUM else self.quorum,
            unverified=tuple(self.unverified),
        )

    def _add_log(self, text: str, url: str | None = None) -> None:
        if is_ml_dsa_vkey(text):
            self._add_other("log", text)
            return
        vkey = _parse_key(text, ED25519_TYPE)
        if vkey.public in self.logs:
            raise _bad_policy(f"log key {excerpt(text)} is there already")
        self.logs[vkey.public] = LogKey(vkey, url)

    def _add_witness(self, name: str, text: str, url: str | None = None) -> None:
        if is_ml_dsa_vkey(text):
            self._add_other("witness", text)
            self._define(name)
            self.unverified.append(name)
            return
        vkey = _parse_key(text, COSIGNATURE_TYPE)
        if vkey.public in self.witnesses:
            raise _bad_policy(
                f"witness key {excerpt(text)} is there already",
                hint="one witness under two names would count twice",
            )
        self._define(name)
        self.witnesses[vkey.public] = Witness(name, vkey, url)

    def _add_other(self, role: str, text: str) -> None:
        """Note a key that either role may have, and whose signatures do not count."""
        key = (role, parse_ml_dsa_vkey(text).public)
        if key in self.others:
            raise _bad_policy(f"{role} key {excerpt(text)} is there already")
        self.others.add(key)

    def _add_group(self, name: str, threshold: str, members: Sequence[str]) -> None:
        needed = _parse_threshold(threshold, len(members))
        for member in members:
            self._need(member)
            if self.names[member]:
                raise _bad_policy(
                    f"{excerpt(member)} is a member already",
                    hint="each name belongs to one group at most, so that no witness"
                    " counts twice",
                )
            self.names[member] = True
        self._define(name)
        self.groups.append(Group(name, needed, tuple(members)))

    def _set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise _bad_policy("it has a quorum line already")
        if name != NO_QUORUM:
            self._need(name)
        self.quorum = name

    def _define(self, name: str) -> None:
        if name == NO_QUORUM or name in self.names:
            raise _bad_policy(f"the name {excerpt(name)} is taken")
        self.names[name] = False

    def _need(self, name: str) -> None:
        if name not in self.names:
            raise _bad_policy(
                f"no line above defines {excerpt(name)}",
                hint="witnesses and groups are defined before they are referred to",
            )


def _parse_key(text: str, signature_type: int) -> Vkey:
    vkey = parse_vkey(text)
    if vkey.type != signature_type:
        raise FormatError(
            "bad-vkey",
            f"{excerpt(text)} is of type {vkey.type:02x}, not {signature_type:02x}",
            hint="logs have keys of type 01, witnesses of type 04; those of type 06 are"
            " read, and nothing that they sign is verified",
        )
    return vkey


def _parse_threshold(text: str, count: int) -> int:
    match text:
        case "any":
            return 1
        case "all":
            return count
    needed = parse_decimal(text)
    if not 1 <= needed <= count:
        raise _bad_policy(f"{needed} of {count} members are not from 1 to all of them")
    return needed


def _bad_policy(message: str, *, hint: str = "") -> FormatError:
    return FormatError("bad-policy", message, hint=hint)
