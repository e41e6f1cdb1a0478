"""The demonstration over one's own files, against arithmetic that shares no code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.demo.arithmetic import credited

FEE_MICRO = 1_000_000_000_000
HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"


def linernote(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "ledger", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def demo(home: Path, catalogue: Path, dataset: Path, *options: str) -> dict[str, Any]:
    """Run the demonstration over two files, and read the balances."""
    files = ("--catalogue", str(catalogue), "--dataset", str(dataset))
    told = linernote("demo", "--home", home, "--no-serve", *files, *options)
    assert told.returncode == 0, told.stdout + told.stderr
    balances = linernote("balances", "--json", "--home", home)
    assert balances.returncode == 0, balances.stderr
    document: dict[str, Any] = json.loads(balances.stdout)
    return document


def check(document: dict[str, Any], right: dict[str, int]) -> None:
    """Compare every party's money with the arithmetic, to the micro-unit."""
    given = {
        row["external"].removeprefix("jamendo:"): row
        for row in document["balances"]
        if row["credited"]
    }
    assert {name: row["credited"] for name, row in given.items()} == {
        name: amount for name, amount in right.items() if amount
    }
    assert sum(row["credited"] for row in given.values()) == FEE_MICRO
    for row in given.values():
        # All that the minor unit can express has been paid out in one batch.
        assert row["paid"] == row["credited"] - row["credited"] % 10_000
        assert row["payable"] == row["credited"] % 10_000
        assert row["held"] == 0
    assert document["suspense"] == []


def small_files(folder: Path) -> tuple[Path, Path]:
    """Write a catalogue of 40 tracks by 7 artists, and a list of 27 of them."""
    rows = [
        f"track_{n:07d}\tartist_{n % 7:06d}\talbum_{n:06d}\t{n}.mp3\t{100 + n}.{n % 10}"
        f"\tmood/theme---calm"
        for n in range(40)
    ]
    catalogue, dataset = folder / "catalogue.tsv", folder / "train.tsv"
    catalogue.write_bytes("\r\n".join([HEADER, *rows, ""]).encode())
    dataset.write_bytes("\r\n".join([HEADER, *rows[5:32], ""]).encode())
    return catalogue, dataset


@pytest.mark.parametrize("basis", ["per_recording", "per_holder", "duration"])
def test_every_holder_gets_what_the_files_give(tmp_path: Path, basis: str) -> None:
    """Each basis credits every holder what plain arithmetic on the files gives."""
    catalogue, dataset = small_files(tmp_path)
    document = demo(tmp_path / "home", catalogue, dataset, "--basis", basis)
    check(document, credited(catalogue, dataset, FEE_MICRO, basis))


@pytest.mark.parametrize(
    ("name", "basis"),
    [
        ("train.tsv", "per_recording"),
        ("test.tsv", "per_holder"),
        ("test.tsv", "duration"),
    ],
)
def test_the_real_split(tmp_path: Path, name: str, basis: str) -> None:
    """A real catalogue and a real training split give the same, to the micro-unit."""
    catalogue, dataset = SHARED / "jamendo/catalogue.tsv", SHARED / "jamendo" / name
    if not dataset.is_file():
        pytest.skip("the real catalogue is not here")
    document = demo(tmp_path / "home", catalogue, dataset, "--basis", basis)
    check(document, credited(catalogue, dataset, FEE_MICRO, basis))


def test_another_fee(tmp_path: Path) -> None:
    """The fee asked for is the fee shared out."""
    catalogue, dataset = small_files(tmp_path)
    document = demo(tmp_path / "home", catalogue, dataset, "--fee", "123.45")
    assert sum(row["credited"] for row in document["balances"]) == 123_450_000


def test_the_mark_says_what_is_made_up_and_what_is_not(tmp_path: Path) -> None:
    """Nobody's own catalogue is called a fiction; the lab and the money are."""
    home = tmp_path / "home"
    demo(home, *small_files(tmp_path))
    assert (home / "demonstration").read_text(encoding="utf-8") == (
        "A demonstration: the lab and the money are made up; the catalogue and the"
        " training list are those given.\n"
    )
