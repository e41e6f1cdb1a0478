"""What a store derived from its log is compared with what the log gives."""

from __future__ import annotations

import msgspec

from tests.audit.logs import Published
from tests.audit.logs import codes


def test_a_changed_row_of_any_table_is_found(log: Published) -> None:
    """No balance, key or share can be changed in the derived tables."""
    tables = log.store.rows._tables
    names = [name for name, rows in tables.items() if rows]
    assert len(names) == 31
    for name in names:
        key, value = next(iter(tables[name].items()))
        for changed in (value[:-1] + bytes([value[-1] ^ 1]), b"", b"\xc1"):
            tables[name][key] = changed
            assert codes(log.audit()) == ["derived-differs", "missing-role"], name
        tables[name][key] = value
    assert log.audit().exit_code == 0


def test_a_row_too_many_or_too_few_is_found(log: Published) -> None:
    """Rows are neither added nor taken away unseen."""
    accounts = log.store.rows._tables["account"]
    key, value = accounts.popitem()
    assert "derived-differs" in codes(log.audit())
    accounts[key] = value
    accounts[b"\x90"] = value
    assert "derived-differs" in codes(log.audit())


def test_changed_hashes_of_the_store_are_found(log: Published) -> None:
    """Hashes kept beside the entries, which proofs are made of, are compared too."""
    entry = log.store._entries[7]
    changed = msgspec.structs.replace(entry, leaf_hash=bytes(32))
    log.store._entries[7] = changed
    assert "derived-differs" in codes(log.audit())


def test_changed_nodes_of_the_store_are_found(log: Published) -> None:
    """So are the nodes above them."""
    log.store._nodes = dict.fromkeys(log.store._nodes, bytes(32))
    assert "derived-differs" in codes(log.audit())
