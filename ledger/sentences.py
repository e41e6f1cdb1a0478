"""One plain English sentence for each kind of entry.

    Society Birch billed Lab Alder SEK 1,000,000.00 for training run run-1, …

A sentence says who did what to whom, with names where the side store has them and
amounts to the last micro-unit. It is told from the event and from what the state
knows of the entries that it points at; it decides nothing and proves nothing.

>>> from ledger.events.training import RunClose
>>> from ledger.names import Names
>>> from ledger.replay import State
>>> words = Words(State("full"), Names(parties={(b"L" * 16).hex(): "Lab Alder"}))
>>> sentence(words, b"L" * 16, "run.close", RunClose(ended=2, run="run-1", started=1))
'Lab Alder closed run run-1.'
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from ledger.events.types import UNSET
from ledger.events.types import Body
from ledger.words import Words
from ledger.words import counted
from ledger.words import listed
from ledger.words import percent

LISTED_MAX = 3
"""Holders that a sentence lists by name before it counts them."""

SIDES = {
    "composition": "the composition",
    "master": "the master recording",
    "performer": "the performance",
}
ROLES = {
    "auditor": "an auditor",
    "lab": "an AI lab",
    "operator": "the operator of this log",
    "provider": "an attribution provider",
    "registrar": "a registrar",
    "society": "a collecting society",
}
USES = {
    "gen_train": "training run",
    "inference_input": "run with music as input",
    "mining": "data-mining run",
    "other_train": "non-generative training run",
    "search": "search-index run",
}
BASES = {
    "duration": "by the length of each recording",
    "per_holder": "equally between verified holders",
    "per_recording": "equally between recordings",
}
PARTY_TYPES = {
    "group": "a group",
    "organisation": "an organisation",
    "person": "a person",
}


class Said(NamedTuple):
    """Who said what: all that a sentence is told from."""

    words: Words
    author: bytes
    body: Any

    def party(self, party: bytes) -> str:
        """Name a party."""
        return self.words.party(party)

    def money(self, micro: int) -> str:
        """Write an amount in the currency of the event."""
        return self.words.amount(micro, self.body.currency)


def sentence(words: Words, author: bytes, kind: str, body: Body | None) -> str:
    """Say what an entry says.

    Args:
        words: how everything is called.
        author: of the event.
        kind: of the event.
        body: typed, or None if it is not a body of its kind.
    """
    who = words.party(author)
    tell = TELLERS.get(kind)
    if tell is None or body is None:
        return f"{who} appended an entry that cannot be read as {kind}."
    return f"{who} {tell(Said(words, author, body))}."


def _genesis(said: Said) -> str:
    before = said.body.predecessor
    if before is not UNSET:
        number = counted(before.size, "entry", "entries")
        return f"let {before.origin} go on as {said.body.origin}, after {number}"
    codes = listed([rule.code for rule in said.body.currencies])
    return f"opened this log, {said.body.origin}, which counts money in {codes}"


def _level(said: Said) -> str:
    return f"raised the rules of this log to level {said.body.level}"


def _acknowledge(said: Said) -> str:
    return f"took note of the problem {said.body.code} of entry {said.body.index}"


def _party(said: Said) -> str:
    if said.body.parties is not UNSET:
        number = counted(said.body.parties.lines, "party", "parties")
        return f"registered {number} from a list"
    external = "" if said.body.external is UNSET else said.body.external
    name = said.words.names.party(said.body.party, external)
    return f"registered {name}, {PARTY_TYPES[said.body.type]}"


def _party_verify(said: Said) -> str:
    return f"confirmed who {said.party(said.body.party)} is"


def _key(said: Said) -> str:
    own = said.author == said.body.party
    if said.body.action == "revoke":
        if own:
            return "withdrew one of its keys"
        return f"withdrew a key of {said.party(said.body.party)}"
    duty = (
        "that signs for it" if said.body.purpose == "sign" else "that guards its others"
    )
    if own:
        return f"added a key {duty}"
    return f"gave {said.party(said.body.party)} a first key, one {duty}"


def _log_key(said: Said) -> str:
    if said.body.action == "add":
        return "added a key that signs the checkpoints of this log"
    return "retired a key that signed the checkpoints of this log"


def _accredit(said: Said) -> str:
    name, role = said.party(said.body.party), ROLES[said.body.role]
    if said.body.action == "grant":
        return f"recognised {name} as {role}"
    return f"no longer recognises {name} as {role}"


def _catalogue(said: Said) -> str:
    return f"listed {counted(said.body.recordings.lines, 'recording')} in a catalogue"


def _shares(said: Said) -> str:
    verb = "registered" if said.body.kind == "transfer" else "corrected"
    if said.body.table is UNSET:
        number = counted(said.body.lines.lines, "share")
        return f"{verb} who holds what: {number} in works and recordings"
    table = said.body.table
    held = [f"{said.party(x.party)} {percent(x.ppm)}" for x in table.lines]
    if len(held) > LISTED_MAX:
        held = [*held[:LISTED_MAX], counted(len(held) - LISTED_MAX, "other")]
    subject = said.words.recording(table.subject)
    return f"{verb} who holds {SIDES[table.side]} of {subject}: {listed(held)}"


def _tariff(said: Said) -> str:
    per = "training run" if said.body.per == "run" else "model version"
    if said.body.bands is UNSET:
        return f"set a price of {said.money(said.body.amount)} per {per}"
    steps = counted(len(said.body.bands), "step")
    return f"set a price list in {said.body.currency} of {steps} per {per}"


def _scheme(said: Said) -> str:
    taken = []
    if said.body.reserve_ppm:
        taken.append(f"a reserve of {percent(said.body.reserve_ppm)}")
    if said.body.fee_ppm:
        taken.append(f"a fee of {percent(said.body.fee_ppm)}")
    if said.body.cultural_ppm:
        taken.append(f"a cultural deduction of {percent(said.body.cultural_ppm)}")
    less = f", less {listed(taken)}" if taken else ""
    return f"set how money is shared: {BASES[said.body.basis]}{less}"


def _licence_grant(said: Said) -> str:
    sides = listed([SIDES[side] for side in said.body.covers.sides])
    where = counted(len(said.body.catalogues), "catalogue")
    return (
        f"offered {said.party(said.body.lab)} a licence to train on {sides} of what is"
        f" listed in {where}"
    )


def _licence_accept(said: Said) -> str:
    row = said.words.state.licences.get(said.body.grant)
    whose = f" that {said.party(row.society)} offered" if row is not None else ""
    return f"accepted the licence{whose} in entry {said.body.grant}"


def _model_version(said: Said) -> str:
    told = f"named version {said.body.version} of its model {said.body.model}"
    for verb, ancestors in (
        ("trained further from", said.body.parents),
        ("trained on output of", said.body.synthetic),
    ):
        versions = [
            f"{x.model} {x.version}"
            + ("" if x.lab == said.author else f" of {said.party(x.lab)}")
            for x in ancestors
        ]
        if versions:
            told += f", {verb} {listed(versions)}"
    return told


def _under(licences: Sequence[int]) -> str:
    if not licences:
        return "without naming a licence"
    entries = "entry" if len(licences) == 1 else "entries"
    return f"under the licence of {entries} {listed([str(x) for x in licences])}"


def _run(said: Said) -> str:
    body, number = said.body, counted(said.body.dataset.lines, "recording")
    return f"{USES[body.use]} {body.run} of {body.model} {body.version} on {number}"


def _run_open(said: Said) -> str:
    return f"opened {_run(said)}, {_under(said.body.licences)}"


def _run_close(said: Said) -> str:
    if said.body.dataset is UNSET:
        return f"closed run {said.body.run}"
    under = _under(said.body.licences)
    return f"reported {_run(said)} after it was over, {under}"


def _due(said: Said) -> str:
    vat = f", plus {said.money(said.body.vat)} VAT" if said.body.vat else ""
    return (
        f"billed {said.words.lab_of(said.body.licence)}"
        f" {said.money(said.body.net)} for training run {said.body.run}{vat}"
    )


def _payment_received(said: Said) -> str:
    dues = [str(application.due) for application in said.body.applies]
    bills = "the bill" if len(dues) == 1 else "the bills"
    entries = "entry" if len(dues) == 1 else "entries"
    use = f"for {bills} of {entries} {listed(dues)}" if dues else "in advance"
    applied = sum(application.amount for application in said.body.applies)
    left = said.body.gross - applied
    if dues and left:
        use += f", and {said.money(left)} in advance"
    money = said.money(said.body.gross)
    return f"received {money} from {said.party(said.body.payer)} {use}"


def _distribution(said: Said) -> str:
    totals = said.body.lines.totals
    waiting = said.body.total - totals["fee"] - totals["cultural"] - totals["net"]
    told = (
        f"shared out {said.money(said.body.total)} that"
        f" {said.words.lab_of(said.body.licence)} paid for training run {said.body.run}"
    )
    if said.body.reserve:
        told += f", keeping {said.money(said.body.reserve)} in reserve"
    if waiting:
        told += f"; {said.money(waiting)} of it waits until its holders are known"
    return told


def _payout(said: Said) -> str:
    totals = said.body.batch.totals
    number = counted(said.body.batch.lines, "party", "parties")
    told = f"sent {said.money(totals['sent'])} to {number}"
    if totals["tax"]:
        told += f", after {said.money(totals['tax'])} of tax"
    return told


def _payout_result(said: Said) -> str:
    happened = {
        "confirmed": "arrived",
        "failed": "did not go through; the money is owed again",
        "returned": "came back; the money is owed again",
    }[said.body.outcome]
    what = f"the payout of entry {said.body.payout}"
    if said.body.lines is not UNSET:
        what = f"{counted(said.body.lines.lines, 'payment')} in {what}"
    return f"reported that {what} {happened}"


def _reverse(said: Said) -> str:
    return f"undid entry {said.body.entry} (cause: {said.body.cause})"


TELLERS: dict[str, Callable[[Said], str]] = {
    "accredit": _accredit,
    "acknowledge": _acknowledge,
    "catalogue": _catalogue,
    "distribution": _distribution,
    "due": _due,
    "genesis": _genesis,
    "key": _key,
    "level": _level,
    "licence.accept": _licence_accept,
    "licence.grant": _licence_grant,
    "log.key": _log_key,
    "model.version": _model_version,
    "party": _party,
    "party.verify": _party_verify,
    "payment.received": _payment_received,
    "payout": _payout,
    "payout.result": _payout_result,
    "reverse": _reverse,
    "run.close": _run_close,
    "run.open": _run_open,
    "scheme": _scheme,
    "shares": _shares,
    "tariff": _tariff,
}
