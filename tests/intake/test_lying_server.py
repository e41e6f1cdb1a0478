"""What a server can make a signer believe: nothing that the log's tree does not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.remote import trust
from tests.cli.conftest import Town
from tests.intake.liar import Document
from tests.intake.liar import Liar
from tests.intake.liar import lying
from tests.intake.sending import answers
from tests.intake.sending import send
from tests.intake.sending import versions

A, B = "aa" * 16, "bb" * 16


@pytest.fixture
def liar(url: str) -> Iterator[Liar]:
    with lying(url) as between:
        yield between


def repeated(entry: Document, receipt: str | None = None) -> Document:
    """Answer that an event is that entry already."""
    place = {"index": entry["index"], "leaf_hash": entry["leaf_hash"]}
    return {"answers": [{**place, "repeated": True, "receipt": receipt}]}


@pytest.mark.parametrize("with_receipt", [False, True])
@pytest.mark.parametrize("options", [(), ("--wait",)], ids=["", "wait"])
def test_an_old_entry_is_no_place_of_a_new_event(  # noqa: PLR0917
    options: tuple[str, ...],
    with_receipt: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    town: Town,
    away: Path,
    liar: Liar,
) -> None:
    """An event that was never stored is not "there already", whatever proof comes."""
    monkeypatch.setattr("ledger.cli.sending.RECEIPT_SECONDS", 0.1)
    (first,) = answers(send(liar.url, versions("a", a=A), "--wait"))
    receipt = str(first["receipt"]) if with_receipt else None
    liar.events = lambda _: repeated(first, receipt)
    size = town.size
    for text in (versions("b"), versions("b", b=B), versions("b", b=A)):
        refused = send(liar.url, text, *options)
        code = "wrong-receipt" if with_receipt and options else "wrong-entry"
        assert (refused.code, refused.error, town.size) == (4, code, size)
    assert answers(send(liar.url, versions("a", a=A), *options))[0]["repeated"]


def test_an_entry_that_nobody_sees_is_no_place(
    monkeypatch: pytest.MonkeyPatch, town: Town, away: Path, liar: Liar
) -> None:
    """An entry beyond what the log has published is not believed to be there."""
    monkeypatch.setattr(trust, "PUBLISHED_SECONDS", 0.1)
    leaf_hash = "00" * 32
    liar.events = lambda _: repeated({"index": 10**9, "leaf_hash": leaf_hash})
    refused = send(liar.url, versions("a"))
    assert (refused.code, refused.error) == (5, "not-published")


def test_a_receipt_is_of_the_place_that_was_answered_first(
    town: Town, away: Path, liar: Liar
) -> None:
    """A server that says "stored" is held to that, not to what it says later."""
    (first,) = answers(send(liar.url, versions("a"), "--wait"))
    said = [repeated(first), repeated(first, str(first["receipt"]))]
    said[0]["answers"][0]["repeated"] = False
    liar.events = lambda _: said.pop(0)
    refused = send(liar.url, versions("b"), "--wait")
    assert (refused.code, refused.error) == (4, "wrong-receipt")
