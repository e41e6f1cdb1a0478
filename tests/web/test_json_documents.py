"""`ledger/docs/json.md` names every field of every document, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from ledger.audit import Audit
from ledger.query import Reader
from ledger.query.documents import entry_document
from ledger.replay.rows import ProblemRow
from ledger.statement import statement_json
from tests.story import Story
from tests.story import build_story
from tests.story import party_id
from tests.story import steps
from tests.web.routes import ARTIST
from tests.web.routes import LAB
from web import docs

TEXT = (docs.FOLDER / "json.md").read_text(encoding="utf-8")
FREE = {"body", "checked", "currency"}
"""Maps whose keys are not the document's own."""
SHORT = {"event", "body", "signature", "leaf"}
"""Fields of an entry that lists leave out."""


def documented(heading: str) -> set[str]:
    """The fields that the table of a section names."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    fields = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert len(fields) == len(set(fields))
    return set(fields)


def fields_of(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401
    """The fields of a document, dotted, with [] for the members of a list."""
    if isinstance(value, list):
        for each in value:
            if isinstance(each, (dict, list)):
                yield from fields_of(each, f"{path}[]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            field = f"{path}.{name}" if path else name
            yield field
            if not (name in FREE and isinstance(inner, dict)):
                yield from fields_of(inner, field)


def entries_apart(fields: set[str], prefix: str) -> set[str]:
    """Check the entries of a list against their own section, and leave them out."""
    inner = {f.removeprefix(prefix) for f in fields if f.startswith(prefix)}
    summary = {f for f in documented("Entry") if f.split(".")[0] not in SHORT}
    assert inner <= summary
    return {f for f in fields if not f.startswith(prefix)}


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A story in which everything that a document can show has happened."""
    story = build_story(tmp_path_factory.mktemp("eventful") / "home")
    steps.earn(story, "run-2")
    steps.pay_out(story, "failed")
    steps.undo(story, "distribution")
    yield story
    story.close()


@pytest.fixture(scope="module")
def reader(eventful: Story) -> Reader:
    return Reader(eventful.log.store)


STATEMENTS = [party_id(name).hex() for name in ("artist0", "artist1", "lab")]


def test_statements_are_described(reader: Reader) -> None:
    """Every field of a statement stands in its table, and every row is a field."""
    found = {
        field
        for party in STATEMENTS
        for field in fields_of(statement_json(reader.statement(party)))
    }
    rare = {"notes[].entry"}  # of use without a licence
    assert found | rare == documented("Statement")


def test_balances_are_described(reader: Reader) -> None:
    """Likewise; a pool's own suspense is rare."""
    found = set(fields_of(reader.balances()))
    assert found | {"suspense[].pool"} == documented("Balances")


def test_the_audit_is_described(eventful: Story) -> None:
    """Likewise; a sound log has no problems to show the fields of."""
    assert eventful.home is not None
    eventful.publish()
    report = Audit(eventful.log.store, eventful.home.public, workers=1).run()
    assert report.ok, report.problems
    rows = {f for f in documented("Audit") if not f.startswith("problems[]")}
    assert set(fields_of(report.to_json())) == rows


def test_an_entry_is_described(reader: Reader) -> None:
    """Likewise, with and without a problem."""
    with reader.reading() as sources:
        sources.state.problems.put(3, ProblemRow("some-code", "full", -1))
        entry = reader.entry(3)
        sources.state.discard()
    assert set(fields_of(entry_document(entry))) == documented("Entry")


VIEWER: dict[str, tuple[str, list[str]]] = {
    "Entries": ("entries[].", ["/entries.json"]),
    "The log": ("entries[].", ["/index.json"]),
    "Party": ("entries[].", [f"/party/{ARTIST}.json", f"/party/{LAB}.json"]),
    "Training run": ("-", ["/entry/16/run.json"]),
    "Search": ("-", ["/search.json?q=demo"]),
    "Documents": ("-", ["/docs.json", "/docs/json.json"]),
}


@pytest.mark.parametrize("heading", VIEWER)
def test_the_twins_are_described(heading: str, client: FlaskClient) -> None:
    """Every field of a JSON twin stands in its table, and every row is a field."""
    prefix, addresses = VIEWER[heading]
    found: set[str] = set()
    for address in addresses:
        found |= set(fields_of(client.get(address).json))
    if heading == "Training run":  # nobody is known to hold what this run used
        found |= {f for f in documented(heading) if "owed[]" in f}
    assert entries_apart(found, prefix) == documented(heading)


def test_a_recording_is_described(client: FlaskClient) -> None:
    """Likewise; what only some recordings have is allowed to be missing."""
    addresses = [
        f"/recording/demo:{each}.json" for each in ("r000000", "r000006", "zz")
    ]
    found = {f for a in addresses for f in fields_of(client.get(a).json)}
    optional = {f for f in documented("Recording") if "works[]" in f or "owed[]" in f}
    assert found | optional == documented("Recording")


def test_problems_are_described(client: FlaskClient) -> None:
    """The table of errors is the problem document's."""
    section = TEXT.split("## Errors")[1].split("\n## ")[0]
    fields = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    assert fields == set(client.get("/entry/99.json").json or {})


def test_every_command_with_json_is_described() -> None:
    """Each command that knows --json is in the document."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in (docs.FOLDER.parent / "cli").glob("*.py")
    )
    commands = re.findall(r"@json_option\n@pass_settings\ndef (\w+)", text)
    assert len(commands) > 10
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", TEXT))))
    assert {name.rstrip("_").replace("_", "-") for name in commands} <= words


@pytest.mark.parametrize("line", ["| `extra.field` | x |"])
def test_a_row_too_many_is_noticed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison fails on a field that no document has."""
    changed = TEXT.replace("## Entries\n", f"## Entries\n\n{line}\n", 1)
    monkeypatch.setattr("tests.web.test_json_documents.TEXT", changed)
    assert "extra.field" in documented("Entries")
