"""What is published never changes, is all there, and is signed last."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledger import publish as publishing
from ledger.anchor import Anchor
from ledger.audit import Audit
from ledger.entry.manifest import parse_header_leaf
from ledger.errors import HomeError
from ledger.errors import LedgerError
from ledger.events.identity import Party
from ledger.placing import put_files
from ledger.publish import publish
from ledger.publish import published_checkpoint
from ledger.storage.memory import MemoryStore
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import open_checkpoint
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import make_vkey
from ledger.tlog.tiles import parse_bundle
from tests.replay import acts
from tests.replay.making import ORIGIN
from tests.replay.making import holder
from tests.replay.making import party_id
from tests.replay.making import signing_key
from tests.replay.world import World

LOG_KEY = signing_key("log")
VKEY = make_vkey(ORIGIN, LOG_KEY.public)


@pytest.fixture
def world() -> World:
    """Everybody is there; nothing has been said yet."""
    return World()


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "public"
    folder.mkdir()
    return folder


def put_out(world: World, public: Path) -> Checkpoint:
    """Publish a world's log."""
    return publish(world.store, public, ORIGIN, [LOG_KEY], anchor_of(public))


def anchor_of(public: Path) -> Anchor:
    """Give the anchor of the log that is published there."""
    return Anchor(public.with_name("anchor"))


def files(public: Path) -> dict[str, bytes]:
    """Read everything that is published."""
    found = (path for path in public.rglob("*") if path.is_file())
    return {path.relative_to(public).as_posix(): path.read_bytes() for path in found}


def grow(world: World, entries: int) -> None:
    """Append entries of some kind."""
    for _ in range(entries):
        world.society.say("scheme", acts.scheme_body())


def exit_code(world: World, public: Path) -> int:
    """Audit store and folder."""
    return Audit(world.store, public, workers=0).run().exit_code


def test_a_checkpoint_is_signed_over_the_whole_log(world: World, public: Path) -> None:
    """Size and root are those of all entries, under the log's own name and key."""
    checkpoint = put_out(world, public)
    text = (public / "checkpoint").read_text(encoding="utf-8")
    assert text == world.store.checkpoint()
    assert (
        open_checkpoint(text, VKEY) == checkpoint == published_checkpoint(world.store)
    )
    frontier = Frontier()
    frontier.extend([leaf_hash(leaf) for leaf in world.store.leaves(0, world.log.size)])
    assert checkpoint == Checkpoint(ORIGIN, world.log.size, frontier.root())


def test_bundles_hold_the_entries_and_tiles_their_hashes(
    world: World, public: Path
) -> None:
    """Whoever reads the folder has the log."""
    grow(world, 600 - world.log.size)
    put_out(world, public)
    leaves = list(world.store.leaves(0, 600))
    found = files(public)
    for index, width, name in [(0, 256, "000"), (1, 256, "001"), (2, 88, "002.p/88")]:
        part = leaves[256 * index : 256 * index + width]
        assert parse_bundle(found[f"tile/entries/{name}"], width) == part
        assert found[f"tile/0/{name}"] == b"".join(map(leaf_hash, part))
    assert len(found["tile/1/000.p/2"]) == 64
    assert exit_code(world, public) == 0


def test_what_is_published_never_changes(world: World, public: Path) -> None:
    """At every size all files of the sizes before are there, bit for bit."""
    before: dict[str, bytes] = {}
    for _ in range(20):
        put_out(world, public)
        now = files(public)
        assert {name: now[name] for name in before if name != "checkpoint"} == {
            name: data for name, data in before.items() if name != "checkpoint"
        }
        before = now
        grow(world, 17)
    assert exit_code(world, public) == 0
    names = [name for name in before if name.startswith("tile/0/000.p/")]
    assert len(names) == 14


def test_publishing_again_changes_nothing(world: World, public: Path) -> None:
    """Without new entries there is no new checkpoint, and no second signature."""
    put_out(world, public)
    before = files(public)
    put_out(world, public)
    assert files(public) == before


@pytest.mark.parametrize(
    "step",
    ["put_checkpoint", "sign_checkpoint", "open_checkpoint", "put_files"],
)
def test_after_a_crash_publishing_goes_on(
    world: World, public: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stopped, the next attempt puts everything in place."""
    put_out(world, public)
    grow(world, 5)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing, step, crash)
        with pytest.raises(KeyboardInterrupt):
            put_out(world, public)
    grow(world, 3)
    put_out(world, public)
    assert exit_code(world, public) == 0


def test_half_written_files_are_written_again(world: World, public: Path) -> None:
    """What no checkpoint names yet may be anything, and is put right."""
    put_out(world, public)
    grow(world, 5)
    for name in ("tile/0/000.p", "tile/entries/000.p"):
        half = public / name / str(world.log.size)
        half.write_bytes(b"half")
    put_out(world, public)
    assert exit_code(world, public) == 0


def test_a_lost_public_checkpoint_is_put_back(world: World, public: Path) -> None:
    """The store keeps the text that was signed; nothing is signed anew."""
    put_out(world, public)
    text = world.store.checkpoint()
    (public / "checkpoint").unlink()
    put_out(world, public)
    assert (public / "checkpoint").read_text(encoding="utf-8") == text


def test_a_store_that_lost_entries_signs_nothing(world: World, public: Path) -> None:
    """A log that does not continue its last checkpoint is never signed for."""
    assert isinstance(world.store, MemoryStore)
    put_out(world, public)
    before = files(public)
    entries = world.store._entries
    last = max(entries)
    kept = entries.pop(last)
    with pytest.raises(LedgerError):
        put_out(world, public)
    entries[last] = msgspec.structs.replace(kept, leaf_hash=bytes(32))
    grow_past = msgspec.structs.replace(
        kept, index=last + 1, id=b"x" * 16, key=b"x" * 32, leaf_hash=bytes(32)
    )
    entries[last + 1] = grow_past
    with pytest.raises(LedgerError):
        put_out(world, public)
    assert files(public) == before


def test_an_entry_that_is_not_what_its_hash_says_is_not_signed(
    world: World, public: Path
) -> None:
    """Damage since the commit is found before a checkpoint vouches for it."""
    assert isinstance(world.store, MemoryStore)
    put_out(world, public)
    grow(world, 3)
    entry = world.store._entries[world.log.size - 2]
    leaf = entry.leaf[:-1] + bytes([entry.leaf[-1] ^ 1])
    world.store._entries[entry.index] = msgspec.structs.replace(entry, leaf=leaf)
    before = (public / "checkpoint").read_bytes()
    with pytest.raises(HomeError) as caught:
        put_out(world, public)
    assert caught.value.code == "store-damaged"
    assert (public / "checkpoint").read_bytes() == before


def test_plain_manifests_are_published_with_their_event(
    world: World, public: Path
) -> None:
    """Each has a folder under its root, with the same kinds of files as the log."""
    parties = [holder(party_id(f"p{number:03d}")) for number in range(256)]
    index = world.operator.say(
        "party", lambda refs: Party(parties=refs["parties"]), parties=parties
    )
    put_out(world, public)
    for root, at in world.state.manifests.items():
        folder = public / "manifest" / root.hex()
        size = 257 if at == index else 4
        name = "000" if at == index else "000.p/4"
        leaves = parse_bundle(
            (folder / "tile/entries" / name).read_bytes(), min(size, 256)
        )
        assert parse_header_leaf(leaves[0]).kind == "party/parties"
        assert (folder / "tile/1/000.p/1").exists() == (at == index)
    assert exit_code(world, public) == 0


def test_missing_lines_stop_the_publishing(world: World, public: Path) -> None:
    """A manifest that is not whole in the store is not signed for."""
    assert isinstance(world.store, MemoryStore)
    world.store._bundles.clear()
    with pytest.raises(HomeError) as caught:
        put_out(world, public)
    assert caught.value.code == "store-damaged"
    assert not (public / "checkpoint").exists()


def test_another_writer_is_noticed(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that publish at once, one signs; the other finds the checkpoint moved."""
    put_out(world, public)
    grow(world, 1)

    def meanwhile(*arguments: object) -> None:
        monkeypatch.setattr(publishing, "put_files", put_files)
        put_out(world, public)
        put_files(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "put_files", meanwhile)
    with pytest.raises(HomeError) as caught:
        put_out(world, public)
    assert caught.value.code == "checkpoint-moved"
    assert exit_code(world, public) == 0
