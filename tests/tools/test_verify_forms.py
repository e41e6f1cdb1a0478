"""The stand-alone verifier knows the same fields, orders, totals and postings."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from ledger.accounting.chart import CLASSES
from ledger.entry.envelope import Entry
from ledger.entry.envelope import Event
from ledger.events.identity import Predecessor
from ledger.events.lines import MANIFESTS
from ledger.events.payments import Application
from ledger.events.registry import KINDS
from ledger.events.types import ManifestRef
from tools import verify

OURS: dict[str, Any] = {
    "application": Application,
    "entry": Entry,
    "event": Event,
    "manifest": ManifestRef,
    "predecessor": Predecessor,
    **KINDS,
    **{kind: manifest.line for kind, manifest in MANIFESTS.items()},
}
READ = [name for name in verify.FORMS if not name.endswith("+")]


@pytest.mark.parametrize("name", READ)
def test_the_fields_are_the_library_s(name: str) -> None:
    """Each form has exactly the fields of its class, absent where they may be."""
    fields = {
        field.name + ("" if field.required else "?")
        for field in msgspec.structs.fields(OURS[name])
    }
    assert verify.FORMS[name].keys() == fields


@pytest.mark.parametrize("kind", MANIFESTS)
def test_every_manifest_has_its_order_and_totals(kind: str) -> None:
    """No kind of manifest is missing, and its lines ascend and add up alike."""
    order, *totals = verify.COLUMNS[kind].split("+")
    assert (order, tuple(totals)) == (MANIFESTS[kind].order, MANIFESTS[kind].totals)


def test_every_field_is_of_a_known_kind() -> None:
    """No form names a kind of value that does not exist."""
    for form in verify.FORMS.values():
        for kinds in form.values():
            for kind in kinds.removesuffix("*").split(","):
                assert kind in verify.KINDS or kind in verify.FORMS


@pytest.mark.parametrize("kind", ["due", "payment.received", "distribution", "payout"])
def test_postings_are_to_accounts_of_the_chart(kind: str) -> None:
    """Whatever an event posts goes to accounts that the ledger has."""
    accounts = re.findall(r"(\w+)=", verify.COLUMNS[kind])
    assert len(accounts) > 1
    assert set(accounts) <= CLASSES.keys()
