"""What happens when one byte is flipped, and who notices.

A copy of the home is altered, never the home itself: one byte of an entry in the
database, one byte of a published bundle, and one byte of a proof that somebody
holds. Each is shown to whoever would look, by the code that they would run.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.audit import Audit
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.home import Home
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.note import parse_vkey
from ledger.tlog.proof import parse_proof
from ledger.tlog.proof import verify_proof
from ledger.tlog.tiles import format_bundle_path

if TYPE_CHECKING:
    from pathlib import Path


class Noticed(NamedTuple):
    """One act of tampering, and the answer to it.

    Attributes:
        act: what was done.
        who: who looked.
        code: what they were told; stable.
        message: the same in words.
    """

    act: str
    who: str
    code: str
    message: str


def flip(data: bytes, place: int) -> bytes:
    """Flip the lowest bit of one byte."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def tamper(
    home: Home, folder: Path, index: int, proof: str, vkey: str
) -> list[Noticed]:
    """Alter copies of a home in `folder`, and ask who notices.

    Args:
        home: a published home; it is only read.
        folder: where the copies go.
        index: entry whose bytes are altered.
        proof: text of that entry's proof.
        vkey: the log's verifier key.
    """
    store = SqliteStore.open(home.path, read_only=True)
    leaf, size = store.leaf(index), store.size()
    store.close()
    return [
        _database(home, folder / "database", leaf, index),
        _bundle(home, folder / "public", leaf, size),
        _proof(proof, vkey),
    ]


def _database(home: Home, copy: Path, leaf: bytes, index: int) -> Noticed:
    shutil.copytree(home.path, copy)
    path = Home(copy).database
    data = path.read_bytes()
    start = data.find(leaf)
    if start < 0:
        raise InvariantError("leaf-not-found", f"entry {index} lies in two places")
    path.write_bytes(flip(data, start + len(leaf) // 2))
    code, message = _audit(Home(copy))
    act = f"one bit of entry {index} flipped in the operator's database"
    return Noticed(act, "anyone who runs 'linernote audit'", code, message)


def _bundle(home: Home, copy: Path, leaf: bytes, size: int) -> Noticed:
    shutil.copytree(home.path, copy)
    path = Home(copy).public / format_bundle_path(0, min(size, 256))
    data = path.read_bytes()
    path.write_bytes(flip(data, data.find(leaf) + len(leaf) // 2))
    code, message = _audit(Home(copy))
    act = f"one bit flipped in the published {format_bundle_path(0, min(size, 256))}"
    return Noticed(act, "an auditor with the public folder alone", code, message)


def _audit(home: Home) -> tuple[str, str]:
    store = SqliteStore.open(home.path, read_only=True)
    try:
        report = Audit(store, home.public, workers=0).run()
    finally:
        store.close()
    if report.ok:
        raise InvariantError("tampering-unnoticed", "the audit let a flipped bit pass")
    return report.problems[0].code, report.problems[0].message


def _proof(text: str, vkey: str) -> Noticed:
    proof = parse_proof(text)
    extra = proof.extra or b""
    act = "one bit flipped in the entry inside a musician's proof"
    who = "the musician who holds the proof, offline"
    try:
        verify_proof(proof, flip(extra, len(extra) // 2), parse_vkey(vkey))
    except LedgerError as error:
        return Noticed(act, who, error.code, error.message)
    raise InvariantError("tampering-unnoticed", "a proof let a flipped bit pass")
