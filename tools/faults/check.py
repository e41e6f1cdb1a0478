"""What has to hold after a fault, whatever it was.

* Whatever a file server serves at that moment is a whole tree under a signed
  checkpoint, at least as large as the last one that was acknowledged.
* The log opens again, after the audit that it may ask for, and after nothing else.
* Every acknowledged entry is there, with the index and leaf hash that were told.
* Every event may be sent again, and stands there once.
* Publishing goes on, and the audit finds nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ledger.anchor import anchor_of
from ledger.anchor import log_id_of
from ledger.audit import Audit
from ledger.entry.envelope import decode_event
from ledger.errors import HomeError
from ledger.errors import LedgerError
from ledger.log import Appended
from ledger.published import put_missed
from ledger.storage.poison import check_poison
from ledger.storage.poison import clear_poison
from ledger.storage.sqlite_schema import TABLES
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.merkle import tree_root
from ledger.tlog.tiles import format_bundle_path
from ledger.tlog.tiles import format_tile_path
from ledger.tlog.tiles import tiles_of
from ledger.writer import Writer
from ledger.writer import boot_id
from ledger.writer import open_reader
from tools.faults.record import Operation
from tools.faults.world import LATER_MS
from tools.faults.world import Place
from tools.faults.world import Scenario
from tools.faults.world import World
from tools.faults.world import found
from tools.faults.world import ticking

AFTER_MS = LATER_MS + 100_000


class LostError(Exception):
    """What was found not to hold."""


class Said(NamedTuple):
    """What clients were told before the fault.

    Attributes:
        entries: index and leaf hash in hex of each acknowledged author and id.
        published: size of the last acknowledged checkpoint.
        created: whether the home was said to be made.
        stopped: the code of the error that the process stopped with, or nothing.
    """

    entries: dict[tuple[str, str], tuple[int, str]]
    published: int
    created: bool
    stopped: str


def heard(operations: Sequence[Operation]) -> Said:
    """Collect what was said.

    Raises:
        LostError: two clients were told different things of one event or index.
    """
    entries: dict[tuple[str, str], tuple[int, str]] = {}
    published, created, stopped = 0, False, ""
    for operation in operations:
        if operation.kind != "A":
            continue
        word, *rest = operation.data.decode().split(maxsplit=4)
        if word == "entry":
            note(entries, (rest[0], rest[1]), (int(rest[2]), rest[3]))
        elif word in ("checkpoint", "created"):
            published = max(published, int(rest[0]))
            created |= word == "created"
        elif word in ("stopped", "broke"):
            stopped = " ".join(rest)
    if len({index for index, _ in entries.values()}) < len(entries):
        raise LostError("forked: two events were told the same index")
    return Said(entries, published, created, stopped)


def note(
    entries: dict[tuple[str, str], tuple[int, str]],
    event: tuple[str, str],
    answer: tuple[int, str],
) -> None:
    """Note an acknowledgement beside those before."""
    if entries.setdefault(event, answer) != answer:
        raise LostError(f"forked: event {event[1]} was told two places")


def examine(world: World, place: Place, scenario: Scenario, said: Said) -> list[str]:
    """Check all that has to hold; leaves the log as the scenario would have.

    Args:
        world: as the process had it.
        place: as the fault left it; the machine has its present boot id.
        scenario: that the process was at.
        said: what it told its clients.

    Returns:
        What does not hold; nothing more is looked for after the first.
    """
    try:
        _examine(world, place, scenario, said)
    except (LostError, LedgerError, OSError) as error:
        code = getattr(error, "code", "")
        return [" ".join(filter(None, (type(error).__name__, code, str(error))))]
    return []


def _examine(world: World, place: Place, scenario: Scenario, said: Said) -> None:
    if scenario.name == "create" and not place.home.path.exists():
        if said.created:
            raise LostError("lost: the home was said to be made")
        found(place.home)
    served = _served(place)
    writer = open_again(place, world.verified)
    with closing(writer):
        check_entries(writer, said)
        _send_again(writer, scenario, said)
        if writer.log.size != scenario.size + len(scenario.events):
            raise LostError(f"doubled: there are {writer.log.size} entries")
        checkpoint = writer.publish(world.log_key)
        if checkpoint.size != writer.log.size:
            raise LostError(f"published {checkpoint.size} of {writer.log.size} entries")
        manifests = _manifest_folders(writer, scenario)
        _check_served(world, writer, served, said)
    _check_files(place, served, manifests)
    audit(place, world.verified)


def open_again(place: Place, verified: set[bytes]) -> Writer:
    """Open the log as an operator does, who audits it where it asks for that."""
    clock = ticking(AFTER_MS)
    try:
        return Writer(place.home, clock)
    except HomeError as error:
        if error.code != "home-unverified":
            raise
    with closing(open_reader(place.home)) as store:
        signed = store.checkpoint()
        if signed is not None:
            put_missed(place.home.public, signed)
    audit(place, verified)
    if check_poison(place.home.path, boot_id()):
        clear_poison(place.home.path)
    return Writer(place.home, clock)


def audit(place: Place, verified: set[bytes]) -> None:
    """Verify the home, the store's own tables and files too.

    Args:
        place: of the home.
        verified: homes that hold, by their digests; many faults end in the same one.

    Raises:
        LostError: something does not hold, or cannot be checked.
    """
    with closing(open_reader(place.home)) as store:
        damage = store.integrity()
        if damage:
            raise LostError(f"damaged: {damage[0]}")
        anchor = anchor_of(place.home.path, log_id_of(store) or b"")
        said = f"{anchor.read()} {sorted(_served(place).items())}"
        digest = sha256(said.encode() + _content(place.home.database)).digest()
        if digest in verified:
            return
        report = Audit(store, place.home.public, anchor, workers=0).run()
    if report.exit_code:
        named = [f"{p.code} {p.message}" for p in report.problems] + report.missing
        raise LostError(f"audit: {named[0]}")
    verified.add(digest)


def _content(database: Path) -> bytes:
    """Digest what all the tables say, whatever pages it stands on."""
    digest = sha256()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for table in TABLES:
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            digest.update(repr((table, rows)).encode())
    return digest.digest()


def check_entries(writer: Writer, said: Said) -> None:
    """Find every acknowledged entry in the log, as it was told.

    Raises:
        LostError: it is not there, or another is.
    """
    store = writer.store
    for event, (index, leaf_hash) in said.entries.items():
        there = store.find_event(*map(bytes.fromhex, event))
        if there is None:
            raise LostError(f"lost: entry {index} was acknowledged and is not there")
        if there != index or store.leaf_hashes(index, index + 1).hex() != leaf_hash:
            raise LostError(f"forked: entry {index} was acknowledged as something else")


def _send_again(writer: Writer, scenario: Scenario, said: Said) -> None:
    for session in scenario.sessions:
        for batch in session:
            answers = writer.log.append(batch.events, batch.staged, atomic=True)
            for signed, answer in zip(batch.events, answers, strict=True):
                if not isinstance(answer, Appended):
                    raise LostError(f"refused when sent again: {answer}")
                event = decode_event(signed.event)
                now = answer.index, answer.leaf_hash.hex()
                before = said.entries.get((event.author.hex(), event.id.hex()), now)
                if now != before:
                    raise LostError(f"moved: entry {before[0]} is now {now[0]}")


Served = dict[str, bytes]


def _served(place: Place) -> Served:
    public = place.home.public
    paths = [path for path in public.rglob("*") if path.is_file()]
    return {path.relative_to(public).as_posix(): path.read_bytes() for path in paths}


def _check_served(world: World, writer: Writer, served: Served, said: Said) -> None:
    """Check the checkpoint that was served against the log that there is now."""
    if "checkpoint" not in served:
        raise LostError("lost: no checkpoint is served")
    checkpoint = open_checkpoint(served["checkpoint"].decode(), world.vkey)
    if checkpoint.size < said.published:
        raise LostError(f"lost: a checkpoint of {said.published} entries was published")
    if checkpoint.root != tree_root(checkpoint.size, writer.store.nodes):
        raise LostError(f"forked: the checkpoint of {checkpoint.size} is another log's")


def _manifest_folders(writer: Writer, scenario: Scenario) -> list[tuple[int, str]]:
    """Give the entry that each manifest came with, and its folder."""
    folders = []
    for session in scenario.sessions:
        for batch in session:
            if batch.staged is not None:
                event = decode_event(batch.events[0].event)
                index = writer.store.find_event(event.author, event.id)
                folders += [] if index is None else [(index, "manifest/")]
    return folders


def _check_files(
    place: Place, served: Served, manifests: Sequence[tuple[int, str]]
) -> None:
    """Check that what the served checkpoint names was served, and never changes."""
    size = int(served["checkpoint"].split(b"\n")[1])
    names = [format_tile_path(tile) for tile in tiles_of(size)]
    names += [
        format_bundle_path(tile.index, tile.width)
        for tile in tiles_of(size)
        if tile.level == 0
    ]
    final = _served(place)
    for index, folder in manifests:
        if index < size:
            names += [name for name in final if name.startswith(folder)]
    for name in names:
        if name not in served:
            raise LostError(f"{name} is named by the checkpoint, and was not served")
        if served[name] != final.get(name):
            raise LostError(f"{name} is named by the checkpoint, and was changed")
