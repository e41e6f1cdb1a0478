"""What a store finds and proves entries by is compared with the log, bit by bit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from ledger.audit import Audit
from ledger.audit import Report
from ledger.audit import kept
from ledger.storage import spans
from ledger.storage import sqlite_entries
from ledger.storage.sqlite import FILE_NAME
from ledger.storage.sqlite import SqliteStore
from tests.audit.logs import Published
from tests.audit.logs import codes
from tests.audit.logs import copy
from tests.audit.logs import published
from tests.audit.logs import small_world
from tests.bench.logs import Builder


@pytest.fixture(scope="module")
def wide_log(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A log with a manifest of 17 full bundles and a rest; not to be changed."""
    folder = tmp_path_factory.mktemp("wide") / "public"
    return published(small_world(lines=17 * 256), folder)


@pytest.fixture
def wide(wide_log: Published, tmp_path: Path) -> Published:
    """A log with a long manifest."""
    return copy(wide_log, tmp_path / "public")


def test_an_intact_store_is_what_its_log_gives(wide: Published) -> None:
    """Nothing is found where nothing was changed."""
    assert wide.audit().exit_code == 0


def test_an_event_that_is_not_found_again_is_found(small: Published) -> None:
    """Under another id, the event could be appended twice."""
    events = small.store._events
    (author, id_), entry = events.popitem()
    events[author, id_[::-1] + b"x"] = entry
    (found,) = small.audit().problems
    assert (found.code, found.book, found.index) == ("index-differs", "log", -1)
    assert "does not find entry 2" in found.message
    assert "backup" in found.message


@pytest.mark.parametrize("change", [{"seq": 7}, {"event_hash": bytes(32)}])
def test_another_head_of_a_chain_is_found(
    log: Published, change: dict[str, object]
) -> None:
    """The next event of the key would be refused, or accepted out of its chain."""
    heads = log.store._heads
    key, entry = heads.popitem()
    heads[key] = msgspec.structs.replace(entry, **change)
    assert "index-differs" in codes(log.audit())
    del heads[key]
    assert "index-differs" in codes(log.audit())


def test_other_notes_on_a_manifest_are_found(small: Published) -> None:
    """They say which entry brought it in."""
    for root in small.store._manifests:
        small.store._manifests[root] = msgspec.msgpack.encode((1, "parties"))
    assert codes(small.audit()) == ["index-differs"]


def test_other_hashes_of_lines_are_found(wide: Published) -> None:
    """Proofs of lines are made of them."""
    bundles = wide.store._bundles
    for place, (data, hashes) in list(bundles.items())[::17]:
        bundles[place] = data, hashes[:-1] + bytes([hashes[-1] ^ 1])
        assert codes(wide.audit()) == ["index-differs"], place
        bundles[place] = data, hashes


def test_any_changed_node_is_found(wide: Published) -> None:
    """Every node that a store keeps is compared, and none may be missing."""
    nodes = wide.store._nodes
    levels = {level: (root, level, n) for root, level, n in nodes}
    assert set(levels) == {8, 12}
    for place in levels.values():
        right = nodes.pop(place)
        assert codes(wide.audit()) == ["index-differs"], place
        nodes[place] = right[::-1]
        assert codes(wide.audit()) == ["index-differs"], place
        nodes[place] = right


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database of 300 entries."""
    home = tmp_path_factory.mktemp("database")
    with closing(SqliteStore.create(home)) as store:
        Builder(store).fill(300)
    return (home / FILE_NAME).read_bytes()


def audit(home: Path) -> Report:
    """Audit a home's database."""
    with closing(SqliteStore.open(home, read_only=True)) as store:
        return Audit(store, workers=0).run()


@contextmanager
def edited(home: Path, database: bytes) -> Iterator[sqlite3.Connection]:
    """Open a copy of a database behind the store's back."""
    (home / FILE_NAME).write_bytes(database)
    with closing(sqlite3.connect(home / FILE_NAME)) as connection:
        yield connection
        connection.commit()


@pytest.mark.parametrize("place", [-2, -12, -20])
def test_a_flipped_bit_of_an_index_is_found(
    tmp_path: Path, database: bytes, place: int
) -> None:
    """SQLite itself never looks: it finds nothing under the right key, or too much."""
    with edited(tmp_path, database) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'index'"
            " AND name LIKE 'idx_postings_party%'"
        ).fetchone()
    flipped = bytearray(database)
    flipped[page * size + place] ^= 1
    (tmp_path / FILE_NAME).write_bytes(flipped)
    report = audit(tmp_path)
    assert "store-damaged" in codes(report)
    found = report.problems[0]
    assert (found.book, found.index) == ("log", -1)
    assert "'linernote rebuild'" in found.message
    assert "backup" in found.message


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET id = zeroblob(16) WHERE entry_index = 250",
        "UPDATE entries SET author = zeroblob(16) WHERE entry_index = 250",
        "UPDATE chains SET seq = seq + 1 WHERE seq > 1",
        "UPDATE chains SET event_hash = zeroblob(32)",
        "UPDATE chains SET key = randomblob(32)",
    ],
)
def test_a_changed_column_is_found(
    tmp_path: Path, database: bytes, change: str
) -> None:
    """A value that its index agrees with is compared with the log."""
    with edited(tmp_path, database) as connection:
        connection.execute("DROP TRIGGER entries_update")
        connection.execute(change)
    assert codes(audit(tmp_path)) == ["index-differs"]


def test_a_changed_node_of_a_database_is_found(tmp_path: Path, database: bytes) -> None:
    """Even one below the peaks; a rebuild does not mend it, and is not advised."""
    with edited(tmp_path, database) as connection:
        connection.execute("DROP TRIGGER nodes_update")
        connection.execute(
            "UPDATE nodes SET hash = zeroblob(32) WHERE level = 4 AND number = 3"
        )
    (found,) = audit(tmp_path).problems
    assert found.code == "derived-differs"
    assert "rebuild" not in found.message
    assert "backup" in found.message


def test_another_span_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search by hash would pass over entries that are there."""
    for module in (kept, spans, sqlite_entries):
        monkeypatch.setattr(module, "SPAN", 64)
    with closing(SqliteStore.create(tmp_path)) as store:
        Builder(store).fill(300)
    assert audit(tmp_path).ok
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("DROP TRIGGER spans_update")
        connection.execute("UPDATE spans SET data = zeroblob(1024) WHERE number = 3")
        connection.commit()
    (found,) = audit(tmp_path).problems
    assert (found.code, "192" in found.message) == ("index-differs", True)
