"""The same story over somebody's own catalogue and training list.

Every holder of the catalogue becomes a verified party without keys; the lab
trains on the list, pays the fee, and all of it is distributed on the master
side without deductions, and paid out in one batch. What each holder gets
follows from the two files by arithmetic alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.demo.cast import LAB
from ledger.demo.cast import REGISTRY
from ledger.demo.cast import SOCIETY
from ledger.errors import InputError
from ledger.events import payments
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.identity import Party
from ledger.imports.catalogue import read_catalogue
from ledger.imports.dataset import read_dataset
from ledger.names import Names
from ledger.society import bill
from ledger.society import distribute
from ledger.society import pay_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.author import Author
    from ledger.demo.stage import Stage
    from ledger.events.types import Basis
    from ledger.imports.catalogue import Catalogue
    from ledger.imports.dataset import Dataset

RUN = "run-1"


class Told(NamedTuple):
    """What came of the two files.

    Attributes:
        recordings: of the catalogue.
        holders: parties registered.
        trained: recordings of the training list.
        uncovered: findings of the run.
        run: entry of the run.
        distribution: entry of the distribution.
        payout: entry of the payout; -1 if no balance reached a minor unit.
    """

    recordings: int
    holders: int
    trained: int
    uncovered: int
    run: int
    distribution: int
    payout: int


def tell(  # noqa: PLR0917 (what the command is given)
    stage: Stage,
    catalogue_path: Path,
    dataset_path: Path,
    fee_micro: int,
    basis: Basis,
    say: Callable[[str], None],
) -> Told:
    """Tell the story over two files.

    Raises:
        LedgerError: what is wrong with a file, or a refusal of a rule.
    """
    say(f"reading {catalogue_path}")
    catalogue = read_catalogue(
        catalogue_path,
        party_of=lambda _: stage.new_id(),
        verified=True,
    )
    say(f"reading {dataset_path}")
    dataset = read_dataset(dataset_path)
    registry = stage.registry
    society = stage.admit(SOCIETY, "society")
    lab = stage.admit(LAB, "lab")
    names = {society: SOCIETY.name, lab: LAB.name, registry: REGISTRY.name}
    parties = {author.party.hex(): name for author, name in names.items()}
    Names(parties=parties).save(stage.home.names)
    say("registering holders, recordings and shares")
    entry = _register(registry, society, catalogue)
    licence = _license(society, lab, entry, fee_micro, basis)
    say(f"opening a training run over {dataset.count} recordings")
    run = _train(lab, licence, dataset)
    say("billing, paying, distributing, paying out")
    due = bill(society, licence, RUN, day=_today(society))
    society.say("payment.received", _payment(lab, due.index, fee_micro))
    distribution = distribute(society, licence, RUN)
    payout = _pay_out(society)
    return Told(
        recordings=catalogue.counts.recordings,
        holders=catalogue.counts.parties,
        trained=dataset.count,
        uncovered=sum(1 for _ in stage.log.state.findings.items()),
        run=run,
        distribution=distribution.index,
        payout=payout,
    )


def _today(author: Author) -> int:
    state = author.log.state
    return state.day(state.last_time_ms)


def _register(registry: Author, society: Author, catalogue: Catalogue) -> int:
    parties = catalogue.parties()
    registry.say(
        "party", lambda refs: Party(parties=refs["parties"]), {"parties": parties}
    )
    brought_in = society.say(
        "catalogue",
        lambda refs: rights.Catalogue(recordings=refs["recordings"]),
        {"recordings": catalogue.recordings()},
    )
    society.say(
        "shares",
        lambda refs: rights.Shares(
            effective=_today(society), kind="transfer", lines=refs["lines"]
        ),
        {"lines": catalogue.shares()},
    )
    return brought_in.index


def _license(
    society: Author, lab: Author, catalogue: int, fee_micro: int, basis: Basis
) -> int:
    tariff = society.say(
        "tariff", terms.Tariff(amount=fee_micro, currency="SEK", per="run")
    )
    scheme = terms.Scheme(
        basis=basis,
        clear="each",
        cultural_base="after_fee",
        cultural_ppm=0,
        fee_ppm=0,
        outside="renormalise",
        pool="fixed",
        reserve_ppm=0,
        rule="alloc/1",
        sides=terms.SideWeights(composition=0, master=1, performer=0),
    )
    shared_by = society.say("scheme", scheme)
    grant = terms.LicenceGrant(
        catalogues=[catalogue],
        covers=terms.Covers(
            any_version=True, derivatives=False, sides=["master"], versions=[]
        ),
        lab=lab.party,
        scheme=shared_by.index,
        tariff=tariff.index,
        territories=["001"],
    )
    granted = society.say("licence.grant", grant)
    lab.say("licence.accept", terms.LicenceAccept(grant=granted.index))
    return granted.index


def _train(lab: Author, licence: int, dataset: Dataset) -> int:
    version = training.ModelVersion(
        model="alder", parents=[], synthetic=[], version="1"
    )
    lab.say("model.version", version)
    run = lab.say(
        "run.open",
        lambda refs: training.RunOpen(
            dataset=refs["dataset"],
            licences=[licence],
            model="alder",
            run=RUN,
            use="gen_train",
            version="1",
        ),
        {"dataset": dataset.lines()},
    )
    now = lab.log.state.last_time_ms
    lab.say("run.close", training.RunClose(ended=now, run=RUN, started=now))
    return run.index


def _payment(lab: Author, due: int, fee_micro: int) -> payments.PaymentReceived:
    return payments.PaymentReceived(
        applies=[payments.Application(amount=fee_micro, due=due)],
        charges=0,
        currency="SEK",
        gross=fee_micro,
        payer=lab.party,
    )


def _pay_out(society: Author) -> int:
    try:
        payout = pay_out(society, "SEK")
    except InputError as error:
        if error.code == "nothing-payable":
            return -1
        raise
    confirmed = payments.PayoutResult(
        charges=0, outcome="confirmed", payout=payout.index
    )
    society.say("payout.result", confirmed)
    return payout.index
