"""What each kind of entry says, and the sentence that tells it."""

from __future__ import annotations

from typing import Any

from ledger.events import identity
from ledger.events import payments
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.types import PPM
from ledger.events.types import Body
from ledger.events.types import ManifestRef
from tests.story import party_id
from tests.story import steps

SOCIETY, LAB = party_id("society"), party_id("lab")


def ref(lines: int = 2, **totals: int) -> ManifestRef:
    return ManifestRef(
        lines=lines, order="", root=bytes(32), sealed=False, totals=totals
    )


def table(*ppms: int, subject: str = "demo:r000000") -> rights.ShareTable:
    parties = [party_id(name) for name in ("artist0", "artist1", "artist2", "lab")]
    rows = [
        rights.ShareRow(party=party, ppm=ppm, role="owner")
        for party, ppm in zip(parties, ppms, strict=False)
    ]
    return rights.ShareTable(lines=rows, side="master", subject=subject)


def key(action: str, party: bytes, **fields: Any) -> identity.Key:  # noqa: ANN401
    return identity.Key(action=action, party=party, **fields)  # type: ignore[arg-type]


def banded() -> terms.Tariff:
    bands = [terms.TariffBand(each=0, fixed=1, start=n) for n in (0, 100)]
    return terms.Tariff(banding="slab", bands=bands, currency="SEK", per="version")


def told_scheme(**changes: Any) -> terms.Scheme:  # noqa: ANN401
    fields = terms.Scheme.__struct_fields__
    plain = {name: getattr(steps.scheme(), name) for name in fields}
    return terms.Scheme(**{**plain, **changes})


def distribution(**changes: Any) -> payments.Distribution:  # noqa: ANN401
    fields: dict[str, Any] = {
        "currency": "SEK",
        "licence": 13,
        "lines": ref(cultural=1, fee=2, gross=10_000_000, net=9_999_997),
        "mode": "close",
        "nodes": [],
        "pool": bytes(16),
        "reserve": 0,
        "run": "run-1",
        "total": 10_000_000,
        "unallocated": 0,
    }
    return payments.Distribution(**{**fields, **changes})


def payment(gross: int, *applied: tuple[int, int]) -> payments.PaymentReceived:
    applies = [payments.Application(amount=a, due=due) for due, a in applied]
    return payments.PaymentReceived(
        applies=applies, charges=0, currency="SEK", gross=gross, payer=LAB
    )


def result(outcome: Any, **fields: Any) -> payments.PayoutResult:  # noqa: ANN401
    return payments.PayoutResult(charges=0, outcome=outcome, payout=21, **fields)


def ancestor(lab: bytes) -> training.Ancestor:
    return training.Ancestor(lab=lab, model="alder", version="1")


CASES: list[tuple[bytes, str, Body, str]] = [
    (
        SOCIETY,
        "due",
        payments.Due(
            currency="SEK",
            day=1,
            licence=13,
            net=1_000_000_000_000,
            quantity=7,
            run="run-1",
            vat=0,
        ),
        "Society Birch billed Lab Alder SEK 1,000,000.00 for training run run-1.",
    ),
    (
        SOCIETY,
        "due",
        payments.Due(
            currency="SEK", day=1, licence=99, net=1, quantity=7, run="x", vat=10_000
        ),
        (
            "Society Birch billed a lab SEK 0.000001 for training run x, plus SEK 0.01"
            " VAT."
        ),
    ),
    (
        party_id("operator"),
        "level",
        identity.Level(level=2),
        "Registry of Elms raised the rules of this log to level 2.",
    ),
    (
        party_id("operator"),
        "genesis",
        identity.Genesis(
            currencies=[identity.CurrencyRule(code="SEK", exponent=2)],
            endorsement=bytes(64),
            level=1,
            log_key=bytes(32),
            operator=party_id("operator"),
            origin="elms.example/2",
            predecessor=identity.Predecessor(
                log=bytes(32), origin="elms.example/1", root=bytes(32), size=7
            ),
            root_key=bytes(32),
            utc_offset=0,
        ),
        (
            "Registry of Elms let elms.example/1 go on as elms.example/2, after 7"
            " entries."
        ),
    ),
    (
        party_id("operator"),
        "log.key",
        identity.LogKey(action="add", proof=bytes(64), public=bytes(32)),
        "Registry of Elms added a key that signs the checkpoints of this log.",
    ),
    (
        party_id("operator"),
        "log.key",
        identity.LogKey(action="retire", checkpoint=bytes(100), public=bytes(32)),
        "Registry of Elms retired a key that signed the checkpoints of this log.",
    ),
    (
        party_id("operator"),
        "acknowledge",
        identity.Acknowledge(code="due-amount", index=7),
        "Registry of Elms took note of the problem due-amount of entry 7.",
    ),
    (
        party_id("operator"),
        "party.verify",
        identity.PartyVerify(party=SOCIETY),
        "Registry of Elms confirmed who Society Birch is.",
    ),
    (
        party_id("operator"),
        "accredit",
        identity.Accredit(action="withdraw", party=LAB, role="lab"),
        "Registry of Elms no longer recognises Lab Alder as an AI lab.",
    ),
    (
        party_id("operator"),
        "party",
        identity.Party(
            external="demo:new",
            party=b"n" * 16,
            proof=bytes(64),
            public=bytes(32),
            type="person",
        ),
        "Registry of Elms registered demo:new, a person.",
    ),
    (
        LAB,
        "key",
        key("revoke", LAB, key=bytes(32)),
        "Lab Alder withdrew one of its keys.",
    ),
    (
        party_id("operator"),
        "key",
        key("revoke", LAB, key=bytes(32)),
        "Registry of Elms withdrew a key of Lab Alder.",
    ),
    (
        party_id("operator"),
        "key",
        key(
            "add",
            party_id("artist0"),
            proof=bytes(64),
            public=bytes(32),
            purpose="root",
        ),
        (
            "Registry of Elms gave Ottoline Brackwater a first key, one that guards its"
            " others."
        ),
    ),
    (
        SOCIETY,
        "shares",
        rights.Shares(effective=0, kind="correction", table=table(600_000, 400_000)),
        (
            "Society Birch corrected who holds the master recording of Wren in the"
            " Stairwell: Ottoline Brackwater 60% and Dobb Quillfeather 40%."
        ),
    ),
    (
        SOCIETY,
        "shares",
        rights.Shares(effective=0, kind="transfer", table=table(1, 2, 3, PPM - 6)),
        (
            "Society Birch registered who holds the master recording of Wren in the"
            " Stairwell: Ottoline Brackwater 0.0001%, Dobb Quillfeather 0.0002%, Ðagný"
            " Testdóttir 0.0003% and 1 other."
        ),
    ),
    (
        SOCIETY,
        "tariff",
        banded(),
        "Society Birch set a price list in SEK of 2 steps per model version.",
    ),
    (
        SOCIETY,
        "scheme",
        told_scheme(basis="per_holder", fee_ppm=0, cultural_ppm=0),
        "Society Birch set how money is shared: equally between verified holders.",
    ),
    (
        SOCIETY,
        "scheme",
        told_scheme(basis="duration", cultural_ppm=0, reserve_ppm=50_000),
        (
            "Society Birch set how money is shared: by the length of each recording,"
            " less a reserve of 5% and a fee of 9.6%."
        ),
    ),
    (
        LAB,
        "licence.accept",
        terms.LicenceAccept(grant=99),
        "Lab Alder accepted the licence in entry 99.",
    ),
    (
        LAB,
        "model.version",
        training.ModelVersion(
            model="beech",
            parents=[ancestor(LAB)],
            synthetic=[ancestor(b"x" * 16)],
            version="2",
        ),
        (
            "Lab Alder named version 2 of its model beech, trained further from alder"
            " 1, trained on output of alder 1 of 78787878."
        ),
    ),
    (
        LAB,
        "run.open",
        training.RunOpen(
            dataset=ref(9_949),
            licences=[],
            model="alder",
            run="r",
            use="mining",
            version="1",
        ),
        (
            "Lab Alder opened data-mining run r of alder 1 on 9,949 recordings, without"
            " naming a licence."
        ),
    ),
    (
        LAB,
        "run.close",
        training.RunClose(
            dataset=ref(1),
            ended=1,
            licences=[3, 5],
            model="alder",
            run="r",
            started=0,
            use="gen_train",
            version="1",
        ),
        (
            "Lab Alder reported training run r of alder 1 on 1 recording after it was"
            " over, under the licence of entries 3 and 5."
        ),
    ),
    (
        SOCIETY,
        "payment.received",
        payment(5_000_000),
        "Society Birch received SEK 5.00 from Lab Alder in advance.",
    ),
    (
        SOCIETY,
        "payment.received",
        payment(5_000_000, (1, 2_000_000), (2, 3_000_000)),
        (
            "Society Birch received SEK 5.00 from Lab Alder for the bills of entries 1"
            " and 2."
        ),
    ),
    (
        SOCIETY,
        "distribution",
        distribution(),
        (
            "Society Birch shared out SEK 10.00 that Lab Alder paid for training run"
            " run-1."
        ),
    ),
    (
        SOCIETY,
        "distribution",
        distribution(
            reserve=1_000_000,
            lines=ref(cultural=0, fee=0, gross=10_000_000, net=7_500_000),
        ),
        (
            "Society Birch shared out SEK 10.00 that Lab Alder paid for training run"
            " run-1, keeping SEK 1.00 in reserve; SEK 2.50 of it waits until its"
            " holders are known."
        ),
    ),
    (
        SOCIETY,
        "payout",
        payments.Payout(
            batch=ref(1, gross=1_000_000, sent=1_000_000, tax=0),
            currency="SEK",
            tax_ppm=0,
            threshold=0,
        ),
        "Society Birch sent SEK 1.00 to 1 party.",
    ),
    (
        SOCIETY,
        "payout.result",
        result("failed"),
        (
            "Society Birch reported that the payout of entry 21 did not go through; the"
            " money is owed again."
        ),
    ),
    (
        SOCIETY,
        "payout.result",
        result("returned", lines=ref(2, gross=1, sent=1, tax=0)),
        (
            "Society Birch reported that 2 payments in the payout of entry 21 came"
            " back; the money is owed again."
        ),
    ),
    (
        SOCIETY,
        "reverse",
        payments.Reverse(cause="wrong-amount", entry=18),
        "Society Birch undid entry 18 (cause: wrong-amount).",
    ),
]
