"""The head of a log: where keys' chains stand, and by which entry that is proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.anchor import VARIABLE
from ledger.query import heads
from tests.intake.places import found


def test_the_newest_event_of_a_key_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is among its party's entries, unless that takes too long."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "anchors"))
    town = found(tmp_path, "lab")

    def newest(*keys: str) -> dict[str, int | None]:
        told = town.must("head", *keys)["keys"]
        return {each["name"]: each["newest"] for each in told}

    body = {"model": "m", "parents": [], "synthetic": []}
    root = newest()["lab-root"]
    assert root is not None
    for number in range(5):
        town.say("model.version", {**body, "version": str(number)}, "lab")
    assert newest()["lab"] == town.size - 1
    for at_once in (1, 2, 64):
        monkeypatch.setattr(heads, "_READ_AT_ONCE", at_once)
        assert newest()["lab-root"] == root
    for name, index in newest().items():
        if index is not None:
            place = town.must("head", "--key", name)["keys"][0]
            event = town.must("show", index)["event"]
            assert (event["key"], event["seq"] + 1) == (place["key"], place["seq"])
    monkeypatch.setattr(heads, "_READ_AT_ONCE", 1)
    monkeypatch.setattr(heads, "SEARCHED_MAX", 1)
    assert newest("--key", "lab") == {"lab": town.size - 1}
    assert newest("--key", "lab-root") == {"lab-root": None}
