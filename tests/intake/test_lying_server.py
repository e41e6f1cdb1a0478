"""What a server can make a signer believe: nothing that the log's tree does not say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.remote import trust
from tests.cli.conftest import Town
from tests.intake.liar import Document
from tests.intake.liar import Liar
from tests.intake.liar import lying
from tests.intake.sending import answers
from tests.intake.sending import memory
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


PLACES = {
    "far": {"seq": 10**6, "prev": "ab" * 32},
    "next": {"seq": 3},
    "other": {"prev": "ab" * 32},
    "elsewhere": {"newest": 0},
}
"""What may be said of a chain of two events, the second of which is the newest."""


@pytest.mark.parametrize("lie", PLACES.values(), ids=PLACES)
def test_a_lie_about_a_chain_is_refused(
    lie: Document, town: Town, away: Path, liar: Liar
) -> None:
    """The newest event that is named has to be the key's own, and the one before."""
    answers(send(liar.url, versions("a", "b"), "--wait"))
    memory(away).unlink()  # as on another machine that has the key
    size = town.size
    liar.head = lambda head: head["keys"][0].update(lie)
    refused = send(liar.url, versions("c"))
    assert (refused.code, refused.error, town.size) == (4, "chain-contradicted", size)
    assert not memory(away).exists()
    liar.head = None
    answers(send(liar.url, versions("c")))
    assert json.loads(memory(away).read_text())["seq"] == 3


@pytest.mark.parametrize("newest", [None, 10**9])
@pytest.mark.parametrize("taken", [False, True])
def test_a_place_that_nothing_proves_is_not_remembered(
    newest: int | None,
    taken: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    away: Path,
    liar: Liar,
) -> None:
    """Signed is for that place, and the next honest answer is believed again."""
    monkeypatch.setattr(trust, "CHAIN_SECONDS", 0.1)
    answers(send(liar.url, versions("a"), "--wait"))
    before = json.loads(memory(away).read_text())
    lie = {"seq": 10**6, "prev": "ab" * 32, "newest": newest}
    liar.head = lambda head: head["keys"][0].update(lie)
    if taken:
        stored = {"index": 9, "leaf_hash": "00" * 32, "repeated": False}
        liar.events = lambda _: {"answers": [stored]}
    sent = send(liar.url, versions("b"))
    assert sent.code == (0 if taken else 6), sent
    assert "nothing proves yet" in sent.err
    after = json.loads(memory(away).read_text())
    assert [after[name] for name in ("seq", "prev")] == [before["seq"], before["prev"]]
    liar.head = liar.events = None
    answers(send(liar.url, versions("c")))
    assert json.loads(memory(away).read_text())["seq"] == before["seq"] + 1


def test_a_key_that_signed_elsewhere_goes_on(away: Path, liar: Liar) -> None:
    """Where the log stands further than what was remembered, its tree proves it."""
    answers(send(liar.url, versions("a")))
    old = memory(away).read_text()
    answers(send(liar.url, versions("b", "c")))
    memory(away).write_text(old)
    sent = send(liar.url, versions("d"))
    answers(sent)
    assert "nothing proves" not in sent.err
    assert json.loads(memory(away).read_text())["seq"] == 4
