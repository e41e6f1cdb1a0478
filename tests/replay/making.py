"""What worlds are made of: ids, keys, first bodies, lines, stores."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import pytest

from ledger.author import line_map
from ledger.entry.manifest import Header
from ledger.errors import InvariantError
from ledger.errors import LedgerError
from ledger.events.identity import CurrencyRule
from ledger.events.identity import Genesis
from ledger.events.lines import MANIFESTS
from ledger.events.lines import PartyLine
from ledger.events.types import ManifestRef
from ledger.staging import Staged
from ledger.storage.memory import MemoryStore
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.merkle import leaf_hash

ORIGIN = "world.example/log"


def party_id(name: str) -> bytes:
    """Make the id of a party that can be read in a hex dump."""
    return name.encode().ljust(16, b".")


def signing_key(name: str) -> SigningKey:
    """Make the key of a name, from its own seed."""
    return SigningKey(name.encode().ljust(32, b"k"))


def copy_store(store: MemoryStore) -> MemoryStore:
    """Copy a store between transactions; what it holds is never changed in place."""
    other = MemoryStore()
    for name, value in vars(store).items():
        if isinstance(value, dict):
            getattr(other, name).update(value)
    for table, rows in store.rows._tables.items():
        other.rows._tables[table] = dict(rows)
    return other


def genesis(**fields: Any) -> Genesis:  # noqa: ANN401 (any field of the body)
    """Make the body of the world's genesis, but for the fields given."""
    said = {
        "currencies": [
            CurrencyRule(code="JPY", exponent=0),
            CurrencyRule(code="SEK", exponent=2),
        ],
        "level": 1,
        "log_key": signing_key("log").public,
        "operator": party_id("operator"),
        "origin": ORIGIN,
        "root_key": signing_key("operatorroot").public,
        "utc_offset": 60,
    }
    return Genesis(**{**said, **fields})


def holder(party: bytes, *, verified: bool = True) -> PartyLine:
    """Make the line of a party in a manifest."""
    name = party.rstrip(b".").decode()
    return PartyLine(
        external=f"demo:{name}", party=party, type="person", verified=verified
    )


def build(
    staged: Staged, place: Mapping[str, Any], field: str, lines: Iterable[Any]
) -> ManifestRef:
    """Build a manifest for a field of an event at its place."""
    kind = f"{place['kind']}/{field}"
    rule = MANIFESTS[kind]
    header = Header(
        author=place["author"],
        id=place["id"],
        kind=kind,
        log=place["log"],
        order=rule.order,
        sealed=False,
    )
    built = staged.build(header, map(line_map, lines), rule.totals)
    return ManifestRef(
        lines=built.lines,
        order=rule.order,
        root=built.root,
        sealed=False,
        totals=built.totals,
    )


def hand_in(staged: Staged, root: bytes, bundles: Iterable[bytes]) -> None:
    """Stage bundles of any content under a root."""
    staged._spans[root] = [staged._write(bundle) for bundle in bundles]


def parse_width(bundle: bytes) -> bytes:
    """Give the joined leaf hashes of a bundle of any width."""
    hashes, position = [], 0
    while position < len(bundle):
        length = int.from_bytes(bundle[position : position + 2], "big")
        hashes.append(leaf_hash(bundle[position + 2 : position + 2 + length]))
        position += 2 + length
    return b"".join(hashes)


def refusal(act: Callable[[], object]) -> LedgerError:
    """Give the error by which an act is refused; a bug of ours is not one."""
    with pytest.raises(LedgerError) as caught:
        act()
    assert not isinstance(caught.value, InvariantError)
    return caught.value
