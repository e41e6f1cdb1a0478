"""The fictional story: four songs, one training run, three musicians.

Society Birch registers four songs and licenses Lab Alder per training run. The
lab trains on them, on a tape of Ottoline's that it has no licence for, and on
something that nobody knows. It pays; Birch distributes and pays out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.demo.cast import DEMO_TAPE
from ledger.demo.cast import GUITARIST
from ledger.demo.cast import LAB
from ledger.demo.cast import MUSICIANS
from ledger.demo.cast import PRODUCER
from ledger.demo.cast import REGISTRY
from ledger.demo.cast import SOCIETY
from ledger.demo.cast import SONGS
from ledger.demo.cast import STRAY
from ledger.demo.cast import WRITER
from ledger.events import payments
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.identity import Party
from ledger.events.lines import CatalogueLine
from ledger.events.lines import DatasetLine
from ledger.events.lines import PartyLine
from ledger.events.lines import ShareLine
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from ledger.names import Names
from ledger.society import bill
from ledger.society import distribute
from ledger.society import pay_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.author import Author
    from ledger.demo.cast import Song
    from ledger.demo.stage import Stage
    from ledger.events.types import Side

RUN = "alder-1/run-1"
FEE_MICRO = 48_000_000_000
TAX_PPM = 300_000
DAY_MS = 86_400_000


class Told(NamedTuple):
    """What the end of the demonstration points at."""

    licence: int
    run: int
    due: int
    distribution: int
    payout: int
    musicians: dict[str, bytes]


def tell(stage: Stage) -> Told:
    """Tell the story on a new stage."""
    registry = stage.registry
    society = stage.admit(SOCIETY, "society")
    lab = stage.admit(LAB, "lab")
    musicians = {member.handle: stage.new_id() for member in MUSICIANS}
    _register_musicians(registry, musicians)
    _name(stage, (registry, society, lab), musicians)
    catalogue = _register_songs(society, musicians)
    licence = _license(society, lab, catalogue)
    run = _train(lab, licence)
    due = bill(society, licence, RUN, day=_today(society) + 30, vat_ppm=250_000)
    row = stage.log.state.dues.need(due.index)
    society.say(
        "payment.received",
        payments.PaymentReceived(
            applies=[payments.Application(amount=row.net + row.vat, due=due.index)],
            charges=0,
            currency="SEK",
            gross=row.net + row.vat,
            payer=lab.party,
        ),
    )
    distribution = distribute(society, licence, RUN)
    payout = pay_out(society, "SEK", tax_ppm=TAX_PPM)
    confirmed = payments.PayoutResult(
        charges=0, outcome="confirmed", payout=payout.index
    )
    society.say("payout.result", confirmed)
    return Told(licence, run, due.index, distribution.index, payout.index, musicians)


def _today(author: Author) -> int:
    state = author.log.state
    return state.day(state.last_time_ms)


def _register_musicians(registry: Author, musicians: dict[str, bytes]) -> None:
    lines = [
        PartyLine(external=f"demo:{handle}", party=party, type="person", verified=True)
        for handle, party in musicians.items()
    ]
    lines.sort(key=lambda line: line.party)
    registry.say(
        "party", lambda refs: Party(parties=refs["parties"]), {"parties": lines}
    )


def _name(
    stage: Stage, organisations: tuple[Author, ...], musicians: dict[str, bytes]
) -> None:
    """Put the names into the side store, which is no part of the log."""
    parties = {musicians[member.handle].hex(): member.name for member in MUSICIANS}
    members = (REGISTRY, SOCIETY, LAB)
    for author, member in zip(organisations, members, strict=True):
        parties[author.party.hex()] = member.name
    titles = {song.recording: song.title for song in (*SONGS, DEMO_TAPE)}
    Names(parties=parties, recordings=titles).save(stage.home.names)


def _register_songs(society: Author, musicians: dict[str, bytes]) -> int:
    """Register the songs as one catalogue, the tape as another, and all shares."""
    catalogue = society.say(
        "catalogue",
        lambda refs: rights.Catalogue(recordings=refs["recordings"]),
        {"recordings": [_line(song, n) for n, song in enumerate(SONGS, 1)]},
    )
    society.say(
        "catalogue",
        lambda refs: rights.Catalogue(recordings=refs["recordings"]),
        {"recordings": [_line(DEMO_TAPE, 99)]},
    )
    society.say(
        "shares",
        lambda refs: rights.Shares(
            effective=_today(society), kind="transfer", lines=refs["lines"]
        ),
        {"lines": sorted(_shares(musicians), key=_share_order)},
    )
    return catalogue.index


def _line(song: Song, number: int) -> CatalogueLine:
    return CatalogueLine(
        external=song.recording,
        isrc=f"CPDEM26{number:05d}",
        ms=song.ms,
        works=[(song.work, PPM)],
    )


def _share_order(line: ShareLine) -> tuple[str, str, int]:
    return line.subject, line.side, line.place


def _shares(musicians: dict[str, bytes]) -> Iterator[ShareLine]:
    guitarist = musicians[GUITARIST.handle]
    producer = musicians[PRODUCER.handle]
    writer = musicians[WRITER.handle]
    for number, song in enumerate(SONGS):
        written = [(writer, 600_000, "writer"), (producer, 400_000, "writer")]
        if number == 0:
            # A third writer is credited on the sleeve, and nobody has found them.
            written = [(writer, 700_000, "writer"), (UNKNOWN_PARTY, 300_000, "writer")]
        yield from _table(song.work, "composition", written)
        yield from _table(song.recording, "master", [(producer, PPM, "producer")])
        played = [(producer, 500_000, "featured"), (guitarist, 500_000, "session")]
        yield from _table(song.recording, "performer", played)
    tape = [(guitarist, PPM, "producer")]
    yield from _table(DEMO_TAPE.recording, "master", tape)


def _table(
    subject: str, side: Side, rows: list[tuple[bytes, int, str]]
) -> Iterator[ShareLine]:
    for place, (party, ppm, role) in enumerate(rows):
        yield ShareLine(
            party=party, place=place, ppm=ppm, role=role, side=side, subject=subject
        )


def _license(society: Author, lab: Author, catalogue: int) -> int:
    tariff = society.say(
        "tariff", terms.Tariff(amount=FEE_MICRO, currency="SEK", per="run")
    )
    scheme = terms.Scheme(
        basis="per_recording",
        clear="each",
        cultural_base="after_fee",
        cultural_ppm=100_000,
        fee_ppm=96_000,
        outside="renormalise",
        pool="fixed",
        reserve_ppm=0,
        rule="alloc/1",
        sides=terms.SideWeights(composition=4, master=4, performer=2),
    )
    shared_by = society.say("scheme", scheme)
    grant = society.say(
        "licence.grant",
        terms.LicenceGrant(
            catalogues=[catalogue],
            covers=terms.Covers(
                any_version=False,
                derivatives=False,
                sides=["composition", "master", "performer"],
                versions=[terms.ModelName(model="alder", version="1")],
            ),
            lab=lab.party,
            scheme=shared_by.index,
            tariff=tariff.index,
            territories=["001"],
        ),
    )
    lab.say("licence.accept", terms.LicenceAccept(grant=grant.index))
    return grant.index


def _train(lab: Author, licence: int) -> int:
    version = training.ModelVersion(
        model="alder", parents=[], synthetic=[], version="1"
    )
    lab.say("model.version", version)
    ids = sorted([*(s.recording for s in SONGS), DEMO_TAPE.recording, STRAY])
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
        {"dataset": [DatasetLine(external=each) for each in ids]},
    )
    now = lab.log.state.last_time_ms
    close = training.RunClose(ended=now, run=RUN, started=now - DAY_MS)
    lab.say("run.close", close)
    return run.index
