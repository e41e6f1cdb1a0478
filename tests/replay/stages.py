"""Stages of the usual story, each after the one before."""

from __future__ import annotations

from ledger.events.types import UNKNOWN_PARTY
from tests.replay import acts
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import World


def registered(world: World) -> World:
    """Recordings and their shares are registered."""
    acts.catalogue(world)
    acts.table(world, A, [(ANNA, 600_000), (BERT, 400_000)])
    acts.table(world, B, [(ANNA, 500_000), (UNKNOWN_PARTY, 500_000)])
    return world


def licensed(world: World) -> World:
    """The lab has a licence and a model version."""
    registered(world)
    acts.tariff(world)
    acts.scheme(world)
    acts.grant(world)
    acts.accept(world)
    acts.version(world)
    return world


def trained(world: World) -> World:
    """The lab has run."""
    acts.open_run(licensed(world))
    return world


def billed(world: World) -> World:
    """The run is billed."""
    acts.bill(trained(world))
    return world


def paid(world: World) -> World:
    """The due is paid."""
    acts.pay(billed(world))
    return world


def shared_out(world: World) -> World:
    """The pool is distributed."""
    acts.distribute(paid(world))
    return world


def paid_out(world: World) -> World:
    """The payout is on its way."""
    acts.pay_out(shared_out(world))
    return world
