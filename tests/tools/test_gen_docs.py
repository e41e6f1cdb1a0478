"""The generated documents say what the code says."""

from __future__ import annotations

from ledger.events.registry import KINDS
from ledger.replay.authority import AUTHORITY
from ledger.replay.rules import PUBLIC_RULES
from tools import gen_docs


def test_the_documents_are_up_to_date() -> None:
    """What is committed is what the code gives now, to the byte."""
    for name, make in gen_docs.DOCUMENTS.items():
        assert (gen_docs.DOCS / name).read_text(encoding="utf-8") == make(), name


def test_every_kind_has_a_rule_and_an_authority() -> None:
    """Registry, rules and authority table know exactly the same kinds."""
    assert set(KINDS) == set(PUBLIC_RULES) == set(AUTHORITY)


def test_every_field_is_explained() -> None:
    """Each class says what it is, and each document names each kind."""
    text, who = gen_docs.events(), gen_docs.authority()
    for kind, cls in KINDS.items():
        head, _ = gen_docs.meanings(cls)
        assert head, kind
        assert f"## {kind}\n" in text
        assert f"| {kind} |" in who


def test_no_meaning_is_left_blank() -> None:
    """Every row of a table of fields says what the field means."""
    assert "|  |\n" not in gen_docs.events()
