"""Commands run in this process, and log homes at several stages of a story.

Each stage is made once, by commands, and copied for every test that asks for it:

    bare       a new log with its operator
    staffed    a society, a lab, three artists with recordings
    licensed   a tariff, a scheme, a licence that the lab accepted, a training run
    paid       the society billed it, and the lab paid
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import Protocol

import pytest
from click.testing import CliRunner

from ledger.anchor import VARIABLE
from ledger.cli import main

ORIGIN = "town.example/log"
RECORDINGS = [f"town:r{number}" for number in range(6)]
ARTISTS = ["town:ada", "town:bo", "town:cy"]
FEE_MICRO = 900_000_000

Document = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What a command did.

    Attributes:
        code: exit code.
        out: standard output.
        err: standard error.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Document:
        """The document on standard output."""
        document: Document = json.loads(self.out)
        return document

    @property
    def error(self) -> str:
        """The code of the error that was shown, as text or in a document."""
        for line in self.err.splitlines():
            if line.startswith("  code: "):
                return line.removeprefix("  code: ")
        document = json.loads(self.out)
        return str(document["error"]["code"])


class Run(Protocol):
    """Runs a command."""

    def __call__(
        self, *args: object, input: str | None = None, **env: str | None
    ) -> Result:
        """Run it with these arguments, input and environment."""
        ...


def run_command(*args: object, input: str | None = None, **env: str | None) -> Result:
    """Run a command as a shell would, but in this process."""
    given = [str(arg) for arg in args]
    variables = {"NO_COLOR": "1", "LINERNOTE_HOME": None, "LINERNOTE_KEYS": None}
    variables |= {"LINERNOTE_PASSPHRASE": None, **env}
    with CliRunner().isolation(input, variables) as (out, err, _):
        code = main(given)
        texts = [stream.getvalue().decode() for stream in (out, err)]
    return Result(code, *texts)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run commands in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return run_command


@dataclass
class Town:
    """A log home, and where things stand on its log.

    Attributes:
        home: its folder.
        at: what happened to the index of its entry.
        parties: name to party id in hex.
    """

    home: Path
    at: dict[str, int] = field(default_factory=dict)
    parties: dict[str, str] = field(default_factory=dict)

    @property
    def anchors(self) -> Path:
        """Where the log is anchored; copied with the home, a log by itself."""
        return self.home.with_name("anchors")

    def run(self, *args: object, input: str | None = None, **env: str) -> Result:
        """Run a command on this home."""
        variables = {"LINERNOTE_HOME": str(self.home), VARIABLE: str(self.anchors)}
        return run_command(*args, input=input, **{**variables, **env})

    def must(self, *args: object, input: str | None = None) -> Document:
        """Run a command that has to succeed; give its document."""
        result = self.run(*args, "--json", input=input)
        assert result.code == 0, result
        return result.json

    def say(self, kind: str, body: dict[str, Any], key: str, *options: object) -> int:
        """Append an event that has to be accepted; give its index."""
        event = json.dumps({"kind": kind, "body": body})
        told = self.must("append", "-", "--key", key, *options, input=event)
        index: int = told["answers"][0]["index"]
        return index

    def refused(
        self, kind: str, body: dict[str, Any], key: str, *options: object
    ) -> Result:
        """Append an event that has to be refused."""
        event = json.dumps({"kind": kind, "body": body})
        return self.run("append", "-", "--key", key, *options, input=event)

    @property
    def size(self) -> int:
        """How many entries the log has."""
        size: int = self.must("head")["size"]
        return size

    @property
    def vkey(self) -> str:
        """The log's verifier key."""
        return self.run("vkey").out.strip()


def _bare(folder: Path) -> Town:
    town = Town(folder / "home")
    init = ("init", "--origin", ORIGIN, "--currency", "SEK", "--no-passphrase")
    town.parties["operator"] = town.must(*init)["operator"]
    return town


def _staffed(folder: Path) -> Town:
    town = _bare(folder)
    for name in ("society", "lab"):
        new = ("key", "new", name, "--role", name, "--register", "--no-passphrase")
        town.parties[name] = town.must(*new)["party"]
    lines = [
        f"{recording},{100_000 + place},{ARTISTS[place % 3]}"
        for place, recording in enumerate(RECORDINGS)
    ]
    table = folder / "catalogue.csv"
    table.write_text("\n".join(["id,length,artist", *lines, ""]), encoding="utf-8")
    layout = (
        "--id",
        "id",
        "--duration",
        "length",
        "--unit",
        "ms",
        "--holder",
        "artist",
    )
    told = town.must(
        *("import", "catalogue", table, *layout, "--verified", "--key", "society")
    )
    town.at |= told["entries"]
    return town


def _licensed(folder: Path) -> Town:
    town = _staffed(folder)
    lab = town.parties["lab"]
    tariff = {"amount": FEE_MICRO, "currency": "SEK", "per": "run"}
    town.at["tariff"] = town.say("tariff", tariff, "society")
    scheme: dict[str, Any] = {
        "basis": "per_recording",
        "clear": "each",
        "cultural_base": "after_fee",
        "cultural_ppm": 100_000,
        "fee_ppm": 96_000,
        "outside": "renormalise",
        "pool": "fixed",
        "reserve_ppm": 0,
        "rule": "alloc/1",
        "sides": {"composition": 0, "master": 1, "performer": 0},
    }
    town.at["scheme"] = town.say("scheme", scheme, "society")
    town.at["licence"] = town.say("licence.grant", grant(town, lab), "society")
    town.say("licence.accept", {"grant": town.at["licence"]}, "lab")
    version = {"model": "m", "parents": [], "synthetic": [], "version": "1"}
    town.say("model.version", version, "lab")
    dataset = folder / "dataset.txt"
    dataset.write_text("\n".join([*RECORDINGS, "town:unknown", ""]), encoding="utf-8")
    town.at["run"] = town.say(
        "run.open", run_open(town), "lab", "--lines", f"dataset={dataset}"
    )
    return town


def grant(town: Town, lab: str) -> dict[str, Any]:
    """Give the body of a licence of the town's society."""
    return {
        "catalogues": [town.at["catalogue"]],
        "covers": {
            "any_version": True,
            "derivatives": False,
            "sides": ["master"],
            "versions": [],
        },
        "lab": lab,
        "scheme": town.at["scheme"],
        "tariff": town.at["tariff"],
        "territories": ["001"],
    }


def run_open(town: Town, name: str = "run-1") -> dict[str, Any]:
    """Give the body of a training run under the town's licence."""
    return {
        "licences": [town.at["licence"]],
        "model": "m",
        "run": name,
        "use": "gen_train",
        "version": "1",
    }


def due(town: Town) -> dict[str, Any]:
    """Give the body of the bill for the town's run."""
    return {
        "currency": "SEK",
        "day": 20_800,
        "licence": town.at["licence"],
        "net": FEE_MICRO,
        "quantity": len(RECORDINGS),
        "run": "run-1",
        "vat": 0,
    }


def _paid(folder: Path) -> Town:
    town = _licensed(folder)
    town.at["due"] = town.say("due", due(town), "society")
    payment = {
        "applies": [{"amount": FEE_MICRO, "due": town.at["due"]}],
        "charges": 0,
        "currency": "SEK",
        "gross": FEE_MICRO,
        "payer": town.parties["lab"],
    }
    town.at["payment"] = town.say("payment.received", payment, "society")
    return town


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Town]:
    """Make each stage of the town once."""
    made: dict[str, Town] = {}
    makers = {"bare": _bare, "staffed": _staffed, "licensed": _licensed, "paid": _paid}

    def stage(name: str) -> Town:
        if name not in made:
            made[name] = makers[name](tmp_path_factory.mktemp(name))
        return made[name]

    return stage


def _copy(town: Town, folder: Path) -> Iterator[Town]:
    home = folder / "linernote-home"
    shutil.copytree(town.home, home)
    shutil.copytree(town.anchors, folder / "anchors")
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield Town(home, dict(town.at), dict(town.parties))
    finally:
        os.chdir(before)


@pytest.fixture
def bare(stages: Callable[[str], Town], tmp_path: Path) -> Iterator[Town]:
    """A copy of a new log, in a folder of the test's own."""
    yield from _copy(stages("bare"), tmp_path)


@pytest.fixture
def staffed(stages: Callable[[str], Town], tmp_path: Path) -> Iterator[Town]:
    """A copy of the log with everybody on it."""
    yield from _copy(stages("staffed"), tmp_path)


@pytest.fixture
def licensed(stages: Callable[[str], Town], tmp_path: Path) -> Iterator[Town]:
    """A copy of the log with a training run under a licence."""
    yield from _copy(stages("licensed"), tmp_path)


@pytest.fixture
def paid(stages: Callable[[str], Town], tmp_path: Path) -> Iterator[Town]:
    """A copy of the log whose run has been paid."""
    yield from _copy(stages("paid"), tmp_path)
