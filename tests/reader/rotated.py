"""A log whose key was rotated, as it is and as others could claim that it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import encode_entry
from ledger.errors import LedgerError
from ledger.reader import Reader
from ledger.reader import Trust
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.note import make_vkey
from tests.reader.shelf import Shelf
from tests.reader.shelf import checkpoint_of
from tests.replay import acts
from tests.replay import rotation
from tests.replay.making import ORIGIN
from tests.replay.making import signing_key
from tests.replay.rotation import FIRST
from tests.replay.rotation import SECOND
from tests.replay.rotation import THIRD
from tests.replay.world import World

OLD, NEW, LAST = (
    make_vkey(ORIGIN, signing_key(name).public) for name in (FIRST, SECOND, THIRD)
)
THIEF = "log-5"


class Rotated(NamedTuple):
    """A world at moments of a rotation: each a world of its own."""

    before: World
    both: World
    after: World


@cache
def rotated() -> Rotated:
    """Give a log before, during and after the rotation of its first key."""
    before = World()
    both = before.copy()
    rotation.add(both)
    both.society.say("scheme", acts.scheme_body())
    after = both.copy()
    rotation.retire(after)
    after.society.say("scheme", acts.scheme_body())
    return Rotated(before, both, after)


def leaves_in(world: World) -> list[bytes]:
    """Give the leaf data of a world's log."""
    return list(world.store.leaves(0, world.log.size))


def claim(leaves: Sequence[bytes], *names: str) -> Shelf:
    """Serve leaves, with a checkpoint that the keys of these names sign."""
    shelf = Shelf(leaves)
    keys = [signing_key(name) for name in names]
    said = checkpoint_of(leaves, ORIGIN)
    shelf.files["checkpoint"] = sign_checkpoint(said, ORIGIN, *keys).encode()
    return shelf


def serve(world: World) -> Shelf:
    """Serve a world's log as its keys sign it."""
    shelf = Shelf(leaves_in(world))
    shelf.files["checkpoint"] = rotation.checkpoint(world).encode()
    return shelf


def followed(shelf: Shelf, trust: Trust, cache: Path | None = None) -> Trust:
    """Read with a fresh reader; give by what it believes in the end."""
    with Reader(shelf, trust, cache) as reader:
        reader.checkpoint()
        reader.prove(reader.latest.size - 1)
        return reader.trust


def refusal(shelf: Shelf, trust: Trust, cache: Path | None = None) -> LedgerError:
    """Read with a fresh reader, which has to refuse."""
    with Reader(shelf, trust, cache) as reader, pytest.raises(LedgerError) as caught:
        reader.checkpoint()
    return caught.value


def grow(leaves: Sequence[bytes], like: bytes) -> list[bytes]:
    """Add an entry, taken from another log, at the end."""
    entry = decode_entry(like)
    return [*leaves, encode_entry(msgspec.structs.replace(entry, index=len(leaves)))]
