"""One long story in which every kind of event is said, and accepted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from typing import NamedTuple

from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import decode_event
from ledger.entry.sign import SignedEvent
from ledger.entry.verify import key_id
from ledger.events import identity
from ledger.events import lines
from ledger.events import rights
from ledger.events import terms
from ledger.events import training
from ledger.events.registry import manifest_refs
from ledger.events.registry import parse_body
from ledger.events.types import PPM
from ledger.events.types import UNKNOWN_PARTY
from ledger.events.types import Side
from ledger.log import StoredLines
from ledger.replay.manifests import lines_again
from ledger.staging import Staged
from tests.replay import acts
from tests.replay import rotation
from tests.replay import stages
from tests.replay.acts import STRANGE
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.making import hand_in
from tests.replay.making import signing_key
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import CLEO
from tests.replay.world import World

C, SONG, TUNE = "demo:c", "work:song", "work:tune"
"""A recording of two works."""


def tell(world: World) -> World:
    """Say everything."""
    _identities(world)
    _problem(world)
    _money(world)
    _composition(world)
    return world


def _identities(world: World) -> None:
    operator, at = world.operator, world.at
    at["verify"] = operator.say(
        "party.verify", identity.PartyVerify(party=world.guest.party)
    )
    at["accredit"] = world.accredit(world.guest, "auditor")
    withdraw = identity.Accredit(
        action="withdraw", party=world.guest.party, role="auditor"
    )
    at["withdraw"] = operator.say("accredit", withdraw)
    second = signing_key("guest second")
    at["key"] = world.add_key(world.guest, second, "sign")
    revoke = identity.Key(
        action="revoke", key=key_id(second.public), party=world.guest.party
    )
    at["revoke"] = world.say(world.guest, second, "key", revoke, {})
    first = world.key_body(CLEO, signing_key("cleo root"), "root")
    sourced = acts.change(first, {"source": (at["holders"], 3)})
    at["first key"] = world.registrar.say("key", sourced)
    at["log key"] = rotation.add(world)
    at["retired"] = rotation.retire(world)


def _problem(world: World) -> None:
    """Somebody gets an entry onto the log that breaks a rule; it is acknowledged."""
    world.at["problem"] = world.log.size
    assert world.force(world.lab, "level", identity.Level(level=2)) is not None
    body = identity.Acknowledge(code="missing-role", index=world.at["problem"])
    world.at["acknowledge"] = world.operator.say("acknowledge", body)


def _money(world: World) -> None:
    at = world.at
    stages.trained(world)
    acts.close_run(world)
    at["unpaid due"] = acts.bill(world)
    acts.reverse(world, at["unpaid due"])
    acts.bill(world)
    at["wrong payment"] = acts.pay(world, amount=1_000)
    acts.reverse(world, at["wrong payment"])
    acts.pay(world, amount=25_000_000)
    acts.pay(world, gross=200_000_001, charges=1_500)
    at["wrong distribution"] = acts.distribute(world)
    acts.reverse(world, at["wrong distribution"])
    acts.distribute(world)
    at["wrong payout"] = acts.pay_out(world)
    acts.reverse(world, at["wrong payout"])
    acts.pay_out(world)
    anna, bert = acts.plan_payout_of(world, at["payout"])
    at["failed"] = acts.settle(world, "failed", [bert])
    at["confirmed"] = acts.settle(world, charges=250)
    at["returned"] = acts.settle(world, "returned", [anna], charges=100)


def _composition(world: World) -> None:
    """A run that was never opened, on a medley, by holders and by bands."""
    at, society = world.at, world.society
    works = [(SONG, 600_000), (TUNE, 400_000)]
    medley = lines.CatalogueLine(external=C, isrc="CPDEM2600003", works=works)
    acts.catalogue(world, [medley])
    at["tables"] = society.say(
        "shares",
        lambda refs: rights.Shares(effective=0, kind="correction", lines=refs["lines"]),
        lines=[
            _share(C, "performer", 0, ANNA, 500_000, "featured"),
            _share(C, "performer", 1, CLEO, 500_000, "session"),
            _share(SONG, "composition", 0, ANNA, 300_000),
            _share(SONG, "composition", 1, UNKNOWN_PARTY, 700_000),
            _share(TUNE, "composition", 0, BERT, PPM),
        ],
    )
    bands = [
        terms.TariffBand(each=10, fixed=500_000, start=0),
        terms.TariffBand(each=5, fixed=0, start=100),
    ]
    world.at["tariff"] = society.say(
        "tariff",
        terms.Tariff(banding="graduated", bands=bands, currency="JPY", per="version"),
    )
    sides = terms.SideWeights(composition=2, master=1, performer=1)
    acts.scheme(world, basis="per_holder", outside="reduce", sides=sides)
    everything = acts.covers(
        any_version=False,
        derivatives=True,
        sides=["composition", "performer"],
        until=30_000,
        versions=[terms.ModelName(model="oak", version="2")],
    )
    acts.grant(world, covers=everything, territories=["DE", "SE"])
    acts.accept(world)
    parent = training.Ancestor(lab=world.lab.party, model="oak", version="1")
    acts.version(world, version="2", parents=[parent], synthetic=[parent])
    at["unopened"] = close_unopened(world, "run-2", [A, B, C, STRANGE])
    acts.bill(world, currency="JPY", net=500_010, vat=0, run="run-2")
    acts.pay(world, currency="JPY")
    acts.distribute(world, run="run-2")


def _share(  # noqa: PLR0917 (a line of a table)
    subject: str, side: Side, place: int, party: bytes, ppm: int, role: str = "author"
) -> lines.ShareLine:
    return lines.ShareLine(
        party=party, place=place, ppm=ppm, role=role, side=side, subject=subject
    )


def close_unopened(world: World, run: str, recordings: list[str]) -> int:
    """State a run that was never opened, with what was shown how often."""
    shown = [
        lines.ExposureLine(exposure=3, external=each) for each in sorted(recordings)
    ]
    return world.lab.say(
        "run.close",
        lambda refs: training.RunClose(
            dataset=refs["dataset"],
            ended=20,
            exposure=refs["exposure"],
            licences=[world.at["licence"]],
            model="oak",
            run=run,
            started=10,
            use="other_train",
            version="2",
        ),
        dataset=acts.dataset(recordings),
        exposure=shown,
    )


class Said(NamedTuple):
    """An event that was accepted, taken apart."""

    author: bytes
    key: bytes
    kind: str
    body: Any
    lines: dict[str, list[Any]]


def said(world: World) -> Iterator[Said]:
    """Take apart what was said on a log, but for what nobody could parse."""
    source = StoredLines(world.store)
    for leaf in world.store.leaves(0, world.log.size):
        event = decode_event(decode_entry(leaf).event)
        body = parse_body(event.kind, event.body)
        content = {
            field: list(lines_again(source, f"{event.kind}/{field}", ref.root))
            for field, ref in manifest_refs(event.kind, body)
        }
        yield Said(event.author, event.key, event.kind, body, content)


def prefixes(world: World) -> list[World]:
    """Give a world as it was after each of its entries."""
    again = World(empty=True)
    again.now_ms, again._ids = world.now_ms, count(1_000_000)
    source, found = StoredLines(world.store), []
    for leaf in world.store.leaves(0, world.log.size):
        entry = decode_entry(leaf)
        event = decode_event(entry.event)
        body = parse_body(event.kind, event.body)
        with Staged() as staged:
            for _, ref in manifest_refs(event.kind, body):
                hand_in(staged, ref.root, source.bundles(ref.root))
            signed = SignedEvent(entry.event, entry.signature)
            again.smuggle(signed, staged, time_ms=entry.time)
        found.append(again.copy())
    return found
