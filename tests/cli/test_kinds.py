"""`linernote kinds`: what can be said, from the classes that say it."""

from __future__ import annotations

import pytest

from ledger.cli.samples import COMMANDS
from ledger.cli.samples import SAMPLES
from ledger.errors import FormatError
from ledger.events.describe import struct_fields
from ledger.events.describe import type_at
from ledger.events.json import body_from_json
from ledger.events.json import body_to_json
from ledger.events.registry import KINDS
from ledger.events.registry import MANIFEST_FIELDS
from tests.cli.conftest import Run

MADE_BY_COMMANDS = {
    *("distribution", "genesis", "key", "level", "log.key", "party", "payout")
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_sample_is_a_body_of_its_kind(kind: str) -> None:
    """A sample is complete but for the lines that it takes."""
    sample = SAMPLES[kind]
    try:
        assert body_to_json(body_from_json(kind, sample)) == sample
    except FormatError as error:
        field = MANIFEST_FIELDS[kind][0]
        assert error.hint == f"give its lines: --lines {field}=FILE"  # noqa: PT017
        ref = {
            "lines": 1,
            "order": "external",
            "root": "00" * 32,
            "sealed": False,
            "totals": {},
        }
        body_from_json(kind, {**sample, field: ref})


def test_there_is_a_sample_of_all_that_people_write() -> None:
    """Only what a command makes has none."""
    assert set(SAMPLES) == set(KINDS) - MADE_BY_COMMANDS


def test_the_commands_that_make_events_exist(run: Run) -> None:
    """A kind that a command makes names it, and that command is there."""
    for kind, command in COMMANDS.items():
        assert kind in KINDS
        assert run(*command.split(), "--help").code == 0
        assert f"linernote {command}" in run("kinds", kind).out


def test_all_kinds_are_listed(run: Run) -> None:
    """One line for each kind: who may append it, and what it says."""
    done = run("kinds")
    listed = [line.split()[0] for line in done.out.splitlines()[1:]]
    assert listed == list(KINDS)
    document = run("kinds", "--json").json
    assert [each["kind"] for each in document["kinds"]] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_explained(kind: str, run: Run) -> None:
    """Fields, objects inside them and lines are all named."""
    done = run("kinds", kind)
    assert done.code == 0
    (document,) = run("kinds", kind, "--json").json["kinds"]
    shown = {field["name"] for field in document["fields"]}
    assert set(KINDS[kind].__struct_fields__) <= shown
    for name in shown:
        assert f"  {name}" in done.out
    assert set(document["lines"]) == set(MANIFEST_FIELDS[kind])


def test_objects_inside_a_body_are_explained(run: Run) -> None:
    """What a nested object holds stands under its path."""
    (document,) = run("kinds", "licence.grant", "--json").json["kinds"]
    fields = {field["name"]: field for field in document["fields"]}
    assert fields["covers.any_version"]["takes"] == "true or false"
    assert fields["covers.until"]["required"] is False
    assert "covers.versions[].model" in fields


def test_a_slip_in_a_kind_is_answered_with_the_right_one(run: Run) -> None:
    """An unknown kind exits 3, and the nearest one is named."""
    done = run("kinds", "licence.acept")
    assert (done.code, done.error) == (3, "unknown-kind")
    assert "licence.accept" in done.err


def test_what_is_described_is_what_is_accepted() -> None:
    """A path in an error message leads to the words of that very field."""
    assert type_at("tariff", ".bands[0].fixed").words == "whole number from 0"
    place = type_at("licence.grant", ".covers.sides[1]")
    assert place.words == "one of: composition, master, performer"
    assert type_at("due", ".day").words == "day, counted from 1970-01-01"
    assert type_at("tariff", ".nothing").words == "anything"
    inner = type_at("shares", ".table").type
    assert set(struct_fields(inner)) == {"lines", "side", "subject"}  # type: ignore[arg-type]
