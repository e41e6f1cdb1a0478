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
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.merkle import Frontier
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import make_vkey
from ledger.tlog.note import parse_note
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


@pytest.mark.parametrize("level", [4, 8])
def test_nodes_that_are_not_those_of_the_entries_are_not_signed(
    world: World, public: Path, level: int
) -> None:
    """A second way of computing the root has to agree with what was kept."""
    assert isinstance(world.store, MemoryStore)
    grow(world, 250 - world.log.size)
    put_out(world, public)
    anchored, before = anchor_of(public).read(), files(public)
    grow(world, 50)
    newest = max(node for node in world.store._nodes if node[:2] == (b"", level))
    world.store._nodes[newest] = bytes(32)
    with pytest.raises(HomeError) as caught:
        put_out(world, public)
    assert caught.value.code == "store-damaged"
    assert (anchor_of(public).read(), files(public)) == (anchored, before)


def test_entries_that_were_exchanged_with_their_hashes_are_not_signed(
    world: World, public: Path
) -> None:
    """What was anchored stays as it was, however well the store fits together."""
    assert isinstance(world.store, MemoryStore)
    put_out(world, public)
    entry = world.store._entries[1]
    leaf = entry.leaf[:-1] + bytes([entry.leaf[-1] ^ 1])
    world.store._entries[1] = msgspec.structs.replace(
        entry, leaf=leaf, leaf_hash=leaf_hash(leaf)
    )
    world.store._nodes.clear()
    grow(world, 1)
    with pytest.raises(LedgerError):
        put_out(world, public)


def test_a_signature_that_does_not_hold_is_not_published(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in signing shows before anybody sees what was signed."""
    put_out(world, public)
    grow(world, 1)
    before = files(public)
    wrong = Checkpoint(ORIGIN, 1, bytes(32))
    other = sign_checkpoint(wrong, ORIGIN, signing_key("stranger"))
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "sign_checkpoint", lambda *_: other)
        with pytest.raises(LedgerError):
            put_out(world, public)
    assert files(public) == before
    put_out(world, public)
    assert exit_code(world, public) == 0


def test_the_anchor_is_ahead_of_the_signature(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very text is remembered, durably, before it is signed."""
    seen: list[str | None] = []

    def look(*arguments: object) -> str:
        seen.append(anchor_of(public).read())
        return sign_checkpoint(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "sign_checkpoint", look)
    put_out(world, public)
    text = (public / "checkpoint").read_text(encoding="utf-8")
    assert seen == [parse_note(text).text] == [anchor_of(public).read()]


def test_a_log_without_its_anchor_signs_nothing(world: World, public: Path) -> None:
    """Who has published and does not remember what, may be a copy."""
    put_out(world, public)
    anchor_of(public).remove()
    grow(world, 1)
    with pytest.raises(HomeError) as caught:
        put_out(world, public)
    assert (caught.value.code, caught.value.exit_code) == ("anchor-missing", 8)


def test_a_full_tile_is_written_once(world: World, public: Path) -> None:
    """Another one in its place stops everything, and is left as it is."""
    grow(world, 250 - world.log.size)
    put_out(world, public)
    before = (public / "checkpoint").read_bytes()
    grow(world, 10)
    (public / "tile/0/000").write_bytes(bytes(32 * 256))
    with pytest.raises(HomeError) as caught:
        put_out(world, public)
    assert caught.value.code == "published-differs"
    assert (public / "tile/0/000").read_bytes() == bytes(32 * 256)
    assert (public / "checkpoint").read_bytes() == before
    (public / "tile/0/000").unlink()
    put_out(world, public)
    assert exit_code(world, public) == 0


def test_a_stop_before_the_store_notes_it_leaves_nothing_wrong(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is published is true already; an audit says so, and publishing goes on."""
    put_out(world, public)
    grow(world, 3)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "swap_checkpoint", crash)
        with pytest.raises(KeyboardInterrupt):
            put_out(world, public)
    assert exit_code(world, public) == 0
    grow(world, 2)
    put_out(world, public)
    assert exit_code(world, public) == 0


def test_nothing_is_left_beside_what_is_served(
    world: World, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash leaves no half file in the folder, and the next attempt clears up."""

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    before = files(public)
    with monkeypatch.context() as patch:
        patch.setattr("ledger.placing.sync", crash)
        patch.setattr("ledger.placing.shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            put_out(world, public)
    assert files(public) == before
    put_out(world, public)
    assert [path.name for path in public.parent.iterdir() if ".new" in path.name] == []


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
    assert f"entry {entry.index} is not what its hash says" in caught.value.message
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
