"""Building and hashing a manifest of 1,000,000 lines of 80 bytes, one core."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from ledger.entry import canonical
from ledger.entry.manifest import Header
from ledger.entry.manifest import Line
from ledger.entry.manifest import ManifestBuilder
from tests.bench.measure import Stopwatch
from tests.bench.measure import sized
from tests.bench.measure import tell

LINES = sized(full=1_000_000, tiny=2_000)
AT_ONCE = 4_096


def lines() -> Iterator[Line]:
    """Give catalogue lines of 80 bytes, ascending by external id."""
    for number in range(LINES):
        yield {
            "external": f"bench:track_{number:07d}",
            "isrc": f"CPDEM{number % 10_000_000:07d}",
            "ms": 180_000 + number % 90_000,
            "recording": number.to_bytes(16, "big"),
        }


@pytest.mark.parametrize(("sealed", "goal"), [(False, 400_000), (True, 150_000)])
def test_building(sealed: bool, goal: int) -> None:  # noqa: FBT001
    """Lines a second on one core, from maps to bundles and root."""
    source = lines()
    watch = Stopwatch()
    header = Header(
        author=bytes(16),
        id=bytes(16),
        kind="catalogue/recordings",
        log=bytes(32),
        order="external",
        sealed=sealed,
    )
    bundles = []
    builder = ManifestBuilder(
        header,
        manifest_key=bytes(32) if sealed else None,
        sink=lambda _, leaves: bundles.append(len(leaves)),
    )
    # Lines come as they do from an importer: just made, and not a million waiting.
    while content := list(islice(source, AT_ONCE)):
        assert 75 <= len(canonical.encode(content[0])) <= 85
        with watch.on("build"):
            builder.add_many(content)
    with watch.on("build"):
        built = builder.finish()
    assert built.lines == LINES
    assert sum(bundles) == LINES + 1
    kind = "sealed" if sealed else "plain"
    tell(f"lines a second, {kind}", LINES / watch.seconds["build"], goal)
