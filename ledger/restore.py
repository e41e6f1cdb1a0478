"""A home from a backup: readable at once, writable once it has caught up.

    backup ─► home, marked as restored ─► what was published since is fetched
      ─► verified, stored, derived ─► audit ─► at least the anchor ─► writable

A log that went on from an old backup would sign a second history. So the mark stays,
and nothing is appended, until the home holds all that readers can get, all that this
machine anchored, and what its checkpoint names is in place again. The same way leads
back for a home whose anchor is gone, and for one that was set back in place.
"""

from __future__ import annotations

from contextlib import closing
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

import msgspec

from ledger.anchor import anchor_of
from ledger.anchor import check_grown
from ledger.anchor import log_id_of
from ledger.audit import Audit
from ledger.backup import copy_beside
from ledger.batch import new_entry
from ledger.entry.envelope import decode_event
from ledger.entry.envelope import event_hash
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.home import write_durably
from ledger.placing import put_files
from ledger.publish import files_between
from ledger.publish import published_checkpoint
from ledger.published import put_checkpoint
from ledger.reader import Reader
from ledger.reader import open_leaf
from ledger.reader import open_source
from ledger.rebuild import rebuild
from ledger.replay import ReplayEntry
from ledger.replay import State
from ledger.replay.log_keys import vkeys_at
from ledger.storage.sqlite import SqliteStore
from ledger.storage.sync import sync
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import format_checkpoint
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.merkle import leaf_hashes
from ledger.tlog.merkle import tree_root
from ledger.tlog.note import Note
from ledger.tlog.note import format_note
from ledger.tlog.note import parse_note
from ledger.tlog.note import verify_signature
from ledger.tlog.tiles import TILE_WIDTH
from ledger.tlog.tiles import format_bundle
from ledger.witnessing import ask_what_they_saw
from ledger.witnessing import check_outcomes
from ledger.witnessing import read_policy
from ledger.writer import check_trusted
from ledger.writer import sole_writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from ledger.anchor import Anchor
    from ledger.events.types import ManifestRef
    from ledger.home import Home
    from ledger.storage.base import NewEntry
    from ledger.tlog.note import Vkey

ASKING_SECONDS = 10.0
"""As long as the slowest witness is waited for: here its silence stops."""

_TOGETHER = 1_024
"""Entries stored at a time."""


class CaughtUp(NamedTuple):
    """How a home was brought up to date.

    Attributes:
        size: of the log now.
        fetched: how many entries were missing.
    """

    size: int
    fetched: int


def restore(home: Home, backup: Path) -> int:
    """Make a home of a backup, to be read only; return the size of its log.

    Args:
        home: is not there yet.
        backup: folder that `back_up` made.

    Raises:
        ConflictError: `home-exists`.
        HomeError: a code of `SqliteStore.open` or `SqliteStore.backup`.
    """
    sizes: list[int] = []

    def fill(partial: Home) -> None:
        with closing(SqliteStore.open(backup, read_only=True)) as store:
            sizes.append(store.size())
            store.backup(partial.database)
        copy_beside(backup, partial.path, keys=True)
        _mark(partial)

    home.build(fill)
    return sizes[0]


def goes_on(home: Home, backup: Path) -> bool:
    """Tell whether a home is what `restore` made of a backup, and not caught up yet.

    Raises:
        HomeError: a code of `SqliteStore.open`.
    """
    if not home.restored.exists():
        return False
    with (
        closing(SqliteStore.open(backup, read_only=True)) as old,
        closing(SqliteStore.open(home.path, read_only=True)) as new,
    ):
        size = old.size()
        if log_id_of(old) != log_id_of(new) or size > new.size():
            return False
        return tree_root(size, old.nodes) == tree_root(size, new.nodes)


def catch_up(home: Home, place: str, vkeys: Sequence[Vkey] = ()) -> CaughtUp:
    """Bring a home up to what readers can get, and let it be written again.

    Args:
        home: a restored one, or one whose anchor refuses it.
        place: folder or URL where readers get the log, not the home itself.
        vkeys: that have to have signed there; by default those that the home knows,
            which suffices on a machine that remembers the log.

    Raises:
        InputError: `source-inside-home`, `home-missing`, `vkey-needed`; as
            `open_source`.
        VerificationError: `wrong-origin`, `fork`, `audit-failed`; as `Reader`.
        UnverifiableError: `source-behind`, `audit-incomplete`, `witness-silent`; as
            `Reader`.
        HomeError: `home-in-use`, `behind-anchor`, `behind-witness`, `anchor-differs`,
            `witness-differs`; the store failed.
    """
    home.check()
    _check_elsewhere(home, place)
    with sole_writer(home):
        check_trusted(home)
        with (
            closing(SqliteStore.open(home.path)) as store,
            Reader(open_source(place), vkeys or _vkeys_of(store)) as reader,
        ):
            anchor = _anchor_of(home, store)
            if anchor.read() is None and not vkeys:
                raise _no_vkey(anchor)
            if reader.checkpoint().size > store.size():
                _mark(home)
            fetched = _fetch(store, reader)
            if State("full", store.rows).size != store.size():
                rebuild(store)
            check_grown(store, reader.checkpoint().origin, anchor.checkpoint())
            _audit(store, anchor)
            _ask_witnesses(home, store, reader)
            _publish(home, store, reader, anchor)
            size = store.size()
        home.restored.unlink(missing_ok=True)
        sync(home.path)
    return CaughtUp(size, fetched)


def _mark(home: Home) -> None:
    write_durably(home.restored, b"from a backup; see linernote restore --help\n")


def _check_elsewhere(home: Home, place: str) -> None:
    """Demand a place that a copy of the home would not have brought along."""
    folder = Path(place)
    inside = folder.exists() and folder.resolve().is_relative_to(home.path.resolve())
    if "://" not in place and inside:
        raise InputError(
            "source-inside-home",
            f"{place} is in the home that is to catch up, and as old as that may be",
            hint="name where readers get the log: its address, or a mirror's folder",
        )


def _anchor_of(home: Home, store: SqliteStore) -> Anchor:
    log_id = log_id_of(store)
    if log_id is None:
        raise HomeError(
            "store-damaged",
            "the first entry is missing, or cannot be read",
            hint="restore another backup",
        )
    return anchor_of(home.path, log_id)


def _vkeys_of(store: SqliteStore) -> list[Vkey]:
    state = State("full", store.rows)
    return vkeys_at(state, state.size)


def _fetch(store: SqliteStore, reader: Reader) -> int:
    """Store the entries that the home lacks, in one transaction; return how many."""
    checkpoint, size = reader.checkpoint(), store.size()
    last, log = published_checkpoint(store), State("full", store.rows).need_log()
    if checkpoint.origin != log.origin:
        raise VerificationError(
            "wrong-origin",
            f"the place given has {checkpoint.origin}, this is a home of {log.origin}",
            hint="name a place where readers get this log; a successor has a home of"
            " its own",
        )
    if last is not None and last.size > checkpoint.size:
        raise UnverifiableError(
            "source-behind",
            f"the place given is at {checkpoint.size} entries, and the home has"
            f" published {last.size}",
            hint="name a place that is up to date",
        )
    if size >= checkpoint.size:
        if tree_root(checkpoint.size, store.nodes) != checkpoint.root:
            raise _fork(checkpoint.size)
        return 0
    own = Checkpoint(checkpoint.origin, size, tree_root(size, store.nodes))
    reader.consistency(own)
    with store.transaction():
        for start in range(size, checkpoint.size, _TOGETHER):
            stop = min(start + _TOGETHER, checkpoint.size)
            leaves = enumerate(reader.leaves(start, stop), start)
            store.add_entries(
                [
                    _taken(store, reader, index, leaf, log.index)
                    for index, leaf in leaves
                ]
            )
        if tree_root(checkpoint.size, store.nodes) != checkpoint.root:
            raise _fork(checkpoint.size)
    return checkpoint.size - size


def _taken(
    store: SqliteStore, reader: Reader, index: int, leaf: bytes, genesis: int
) -> NewEntry:
    """Make an entry of leaf data, and store the lines that it brings in."""
    entry = open_leaf(leaf, index)
    event = decode_event(entry.event)
    body = parse_body(event.kind, event.body)
    for field, ref in manifest_refs(event.kind, body):
        if not ref.sealed and store.manifest(ref.root) is None:
            _take_lines(store, reader, ref)
            store.add_manifest(ref.root, msgspec.msgpack.encode((index, field)))
    taken = ReplayEntry(
        index, entry.time, event, event_hash(entry.event), leaf_hash(leaf)
    )
    return new_entry(taken, leaf, genesis)


def _take_lines(store: SqliteStore, reader: Reader, ref: ManifestRef) -> None:
    leaves = reader.manifest(ref.root, ref.lines + 1).leaves(0, ref.lines + 1)
    for number, bundle in enumerate(_bundles(leaves)):
        hashes = b"".join(leaf_hashes(bundle))
        store.put_bundle(ref.root, number, format_bundle(bundle), hashes)


def _bundles(leaves: Iterator[bytes]) -> Iterator[list[bytes]]:
    bundle: list[bytes] = []
    for leaf in leaves:
        bundle.append(leaf)
        if len(bundle) == TILE_WIDTH:
            yield bundle
            bundle = []
    if bundle:
        yield bundle


def _audit(store: SqliteStore, anchor: Anchor) -> None:
    """Verify all that the home holds now; what broke a rule of the log may stand."""
    report = Audit(store).run()
    wrong = [found for found in report.problems if found.book == "log"]
    if wrong:
        raise VerificationError(
            "audit-failed",
            f"{wrong[0].code}: {wrong[0].message}",
            hint="the backup is damaged: restore another one, and keep the anchor"
            f" {anchor.folder}",
        )
    if report.missing:
        raise UnverifiableError(
            "audit-incomplete",
            "; ".join(report.missing),
            hint="what is sealed is in no public folder: restore a newer backup",
        )


def _ask_witnesses(home: Home, store: SqliteStore, reader: Reader) -> None:
    """Demand that each witness of the home's policy has seen no more than there is."""
    policy = read_policy(home)
    if policy is None:
        return
    outcomes = ask_what_they_saw(policy, reader.note, store, ASKING_SECONDS)
    silent = check_outcomes(outcomes, reader.checkpoint().size)
    for name, outcome in silent.items():
        raise UnverifiableError(
            "witness-silent",
            f"witness {name} does not say what it saw last: {outcome.message}",
            hint="try again later, or take a witness that is gone for good out of"
            f" {home.path / 'policy'}",
        )


def _publish(home: Home, store: SqliteStore, reader: Reader, anchor: Anchor) -> None:
    """Anchor what readers have, and put its files into the home's public folder."""
    checkpoint, anchored = reader.checkpoint(), anchor.checkpoint()
    if anchored is None or anchored.size <= checkpoint.size:
        anchor.swap(anchor.read(), format_checkpoint(checkpoint))
    log_keys = vkeys_at(State("full", store.rows), checkpoint.size)
    policy = read_policy(home)
    witnesses = [] if policy is None else [each.vkey for each in policy.witnesses]
    put_files(home.public, files_between(store, 0, checkpoint.size))
    put_checkpoint(home.public, _signed_by(reader.note, [*log_keys, *witnesses]))
    with store.transaction():
        store.swap_checkpoint(store.checkpoint(), _signed_by(reader.note, log_keys))


def _signed_by(note: str, vkeys: Sequence[Vkey]) -> str:
    """Leave every signature out that does not hold by one of some keys."""
    known = {(vkey.name, vkey.key_id): vkey for vkey in vkeys}
    parsed, holding = parse_note(note), []
    for signature in parsed.signatures:
        vkey = known.get((signature.name, signature.key_id))
        if vkey is not None:
            with suppress(VerificationError):
                verify_signature(vkey, parsed.text, signature)
                holding.append(signature)
    return format_note(Note(parsed.text, tuple(holding)))


def _no_vkey(anchor: Anchor) -> InputError:
    return InputError(
        "vkey-needed",
        f"{anchor.folder} does not know this log, and the home may be older than the"
        " last change of its keys: a key that was retired since proves nothing",
        hint="give the newest verifier key, as readers have it, with --vkey",
    )


def _fork(size: int) -> VerificationError:
    return VerificationError(
        "fork",
        f"the first {size} entries of the home are not those that readers have",
        hint="keep both: they may show two histories of one log",
    )
