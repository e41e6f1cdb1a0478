"""Who may say what: every role with every kind, by every kind of key; default deny."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.entry.envelope import Event
from ledger.entry.envelope import decode_event
from ledger.entry.verify import key_id
from ledger.errors import AuthorityError
from ledger.errors import LedgerError
from ledger.events.identity import Accredit
from ledger.events.identity import Key
from ledger.events.identity import PartyVerify
from ledger.events.registry import KINDS
from ledger.replay.authority import AUTHORITY
from ledger.replay.authority import check_authority
from ledger.replay.authority import has_role
from ledger.replay.rows import KeyRow
from ledger.replay.rules import FULL_RULES
from ledger.replay.rules import PUBLIC_RULES
from tests.replay import acts
from tests.replay import everything
from tests.replay.everything import Said
from tests.replay.making import refusal
from tests.replay.making import signing_key
from tests.replay.world import ANNA
from tests.replay.world import ROLES
from tests.replay.world import Actor
from tests.replay.world import World

SPEAKERS = ("operator", *ROLES)
MAY = {
    "operator": {"accredit", "acknowledge", "level", "party", "party.verify"},
    "registrar": {"party", "party.verify"},
    "society": {
        *("catalogue", "distribution", "due", "licence.grant", "payment.received"),
        *("payout", "payout.result", "scheme", "shares", "tariff"),
    },
    "lab": {"licence.accept", "model.version", "run.close", "run.open"},
    "provider": set[str](),
    "auditor": set[str](),
    "guest": set[str](),
}
"""What each role may say, besides what everybody may: written by hand."""
EVERYBODY = {"reverse"}


ROOT_KINDS = {"genesis", "key", "log.key"}
"""What a root key says."""


def role_of(name: str) -> str:
    """Give the role by which a speaker of the world is listed in `MAY`."""
    return {"rival": "society", "other_lab": "lab"}.get(name, name)


@pytest.fixture(scope="module")
def told() -> tuple[World, dict[str, Said]]:
    """A world in which all was said, and an event of each kind."""
    world = everything.tell(World())
    return world, {said.kind: said for said in everything.said(world)}


def check(world: World, name: str, said: Said, **key: object) -> str:
    """Give the code by which authority refuses an event; empty if it doesn't."""
    actor = Actor(world, name)
    row = world.state.keys.need(sign_key_id(actor))
    signed = world.event(actor, said.kind, said.body)
    event: Event = decode_event(signed.event)
    changed: KeyRow = acts.change(row, dict(key))
    try:
        check_authority(world.state, event, changed, said.body)
    except AuthorityError as error:
        return error.code
    return ""


def sign_key_id(actor: Actor) -> bytes:
    """Give the key id of an actor's sign key."""
    return key_id(actor.sign.public)


def test_the_table_is_complete() -> None:
    """Every kind has a cell, a public rule, and is said by somebody."""
    assert set(AUTHORITY) == set(KINDS) == set(PUBLIC_RULES)
    assert set(FULL_RULES) < set(KINDS)
    said = set.union(*MAY.values(), EVERYBODY)
    assert said | ROOT_KINDS == set(KINDS)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - ROOT_KINDS))
@pytest.mark.parametrize("name", SPEAKERS)
def test_each_role_says_its_own_kinds(
    told: tuple[World, dict[str, Said]], name: str, kind: str
) -> None:
    """A sign key in force may say what its party's role may, and nothing else."""
    world, templates = told
    allowed = kind in MAY[role_of(name)] | EVERYBODY
    assert check(world, name, templates[kind]) == ("" if allowed else "missing-role")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"genesis"}))
@pytest.mark.parametrize("name", SPEAKERS)
def test_a_revoked_key_says_nothing(
    told: tuple[World, dict[str, Said]], name: str, kind: str
) -> None:
    """From its revocation on, whatever the role and the purpose."""
    world, templates = told
    for purpose in ("root", "sign"):
        code = check(world, name, templates[kind], revoked=5, purpose=purpose)
        assert code == "key-revoked"


@pytest.mark.parametrize("kind", sorted(set(KINDS) - ROOT_KINDS))
@pytest.mark.parametrize("name", SPEAKERS)
def test_a_root_key_does_no_business(
    told: tuple[World, dict[str, Said]], name: str, kind: str
) -> None:
    """A root key adds and revokes keys; all else is for sign keys."""
    world, templates = told
    assert check(world, name, templates[kind], purpose="root") == "wrong-purpose"


@pytest.mark.parametrize("name", SPEAKERS)
def test_log_keys_are_the_operators(
    told: tuple[World, dict[str, Said]], name: str
) -> None:
    """Its root key changes which keys sign checkpoints; no other key does."""
    world, templates = told
    said = templates["log.key"]
    expected = "" if name == "operator" else "missing-role"
    assert check(world, name, said, purpose="root") == expected
    assert check(world, name, said) == "wrong-purpose"


def test_a_kind_that_is_in_no_table_is_denied(
    told: tuple[World, dict[str, Said]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Default deny: without a cell nobody may say it, not even the operator."""
    world, templates = told
    monkeypatch.delitem(AUTHORITY, "level")
    for name in SPEAKERS:
        assert check(world, name, templates["level"]) == "missing-role"


# ── keys ─────────────────────────────────────────────────────────────────────


def key_event(world: World, subject: str, action: str) -> Key:
    """Make the body that adds a new key to a party, or revokes its sign key."""
    actor = Actor(world, subject)
    if action == "revoke":
        return Key(action="revoke", key=sign_key_id(actor), party=actor.party)
    return world.key_body(actor.party, signing_key("new"), "sign")


@pytest.mark.parametrize("action", ["add", "revoke"])
@pytest.mark.parametrize("subject", ["lab", "guest", "operator"])
@pytest.mark.parametrize("purpose", ["root", "sign"])
@pytest.mark.parametrize("name", ["lab", "guest", "operator", "registrar"])
def test_keys_are_changed_by_their_own_root_key(
    name: str, purpose: str, subject: str, action: str, stage: Callable[[str], World]
) -> None:
    """A root key does; a sign key only revokes itself; nobody does for another."""
    world = stage("world")
    actor = Actor(world, name)
    key = actor.root if purpose == "root" else actor.sign
    body = key_event(world, subject, action)
    allowed = name == subject and (purpose == "root" or action == "revoke")

    def act() -> object:
        return world.say(actor, key, "key", body, {})

    if allowed:
        act()
    else:
        assert refusal(act).code == "not-your-key"


def test_a_sign_key_revokes_itself_and_no_other(world: World) -> None:
    """Whoever found a key may take it out of force, but nothing more."""
    second = signing_key("second")
    world.add_key(world.guest, second, "sign")
    body = Key(action="revoke", key=sign_key_id(world.guest), party=world.guest.party)
    other = refusal(lambda: world.say(world.guest, second, "key", body, {}))
    assert other.code == "not-your-key"
    world.guest.say("key", body)
    verify = PartyVerify(party=world.guest.party)
    late = refusal(lambda: world.guest.say("party.verify", verify))
    assert late.code == "key-revoked"


def test_a_key_of_another_party_cannot_be_named_as_ones_own(world: World) -> None:
    """A root key revokes no key of another party under its own party's name."""
    body = Key(action="revoke", key=sign_key_id(world.lab), party=world.guest.party)
    assert refusal(lambda: world.guest.rule("key", body)).code == "key-not-in-force"


@pytest.mark.parametrize("name", SPEAKERS)
def test_first_keys_are_added_by_registrars(
    name: str, stage: Callable[[str], World]
) -> None:
    """Only for a party of a manifest that has none, by citing its line."""
    world = stage("world")
    party = ANNA
    body = world.key_body(party, signing_key("new"), "root")
    sourced = acts.change(body, {"source": (world.at["holders"], 1)})
    actor = Actor(world, name)
    if name in {"operator", "registrar"}:
        actor.say("key", sourced)
        assert world.state.parties.need(party).keys == 1
    else:
        assert refusal(lambda: actor.say("key", sourced)).code == "not-your-key"
    assert refusal(lambda: actor.say("key", body)).code == "not-your-key"


def test_a_first_key_is_a_root_key(world: World) -> None:
    """Whoever had only a sign key could never add or change another."""
    body = world.key_body(ANNA, signing_key("new"), "sign")
    sourced = acts.change(body, {"source": (world.at["holders"], 1)})
    refused = refusal(lambda: world.operator.say("key", sourced))
    assert refused.code == "not-your-key"


def test_a_party_with_a_revoked_key_gets_none_from_a_registrar(world: World) -> None:
    """A registrar can't take over a party whose only key is out of force."""
    party = ANNA
    first = signing_key("first")
    body = world.key_body(party, first, "root")
    sourced = acts.change(body, {"source": (world.at["holders"], 1)})
    world.registrar.say("key", sourced)
    own = Key(action="revoke", key=key_id(first.public), party=party)
    world.say(Actor(world, "anna"), first, "key", own, {})
    again = world.key_body(party, signing_key("other"), "root")
    again = acts.change(again, {"source": (world.at["holders"], 1)})
    assert refusal(lambda: world.registrar.say("key", again)).code == "not-your-key"


# ── roles ────────────────────────────────────────────────────────────────────


def test_roles_count_from_the_next_entry_on(world: World) -> None:
    """Granted, a role is there at once; withdrawn, it is gone; what was said stands."""
    refused = refusal(lambda: acts.scheme(world, by=world.guest))
    assert refused.code == "missing-role"
    world.accredit(world.guest, "society")
    index = acts.scheme(world, by=world.guest)
    withdraw = Accredit(action="withdraw", party=world.guest.party, role="society")
    world.operator.say("accredit", withdraw)
    again = refusal(lambda: acts.tariff(world, by=world.guest))
    assert again.code == "missing-role"
    assert world.state.schemes.need(index).society == world.guest.party


def test_the_operator_stays_registrar(world: World) -> None:
    """Genesis made it so; a role granted and withdrawn on top changes nothing."""
    world.accredit(world.operator, "registrar")
    withdraw = Accredit(action="withdraw", party=world.operator.party, role="registrar")
    world.operator.say("accredit", withdraw)
    assert has_role(world.state, world.operator.party, "registrar")
    assert not has_role(world.state, world.registrar.party, "operator")
    verify = PartyVerify(party=world.guest.party)
    world.operator.say("party.verify", verify)


# ── own and other subjects ───────────────────────────────────────────────────

SUBJECTS: dict[str, tuple[str, Callable[[World, Actor], object]]] = {
    "due": ("trained", lambda world, by: acts.bill(world, by=by)),
    "payment.received": ("billed", lambda world, by: acts.pay(world, by=by)),
    "distribution": ("paid", lambda world, by: acts.distribute(world, by=by)),
    "payout": ("shared_out", lambda world, by: acts.pay_out(world, by=by)),
    "payout.result": ("paid_out", lambda world, by: acts.settle(world, by=by)),
    "licence.grant": ("licensed", lambda world, by: acts.grant(world, by=by)),
    "reverse of a due": (
        "billed",
        lambda world, by: acts.reverse(world, world.at["due"], by=by),
    ),
    "reverse of a payment": (
        "paid",
        lambda world, by: acts.reverse(world, world.at["payment"], by=by),
    ),
    "reverse of a distribution": (
        "shared_out",
        lambda world, by: acts.reverse(world, world.at["distribution"], by=by),
    ),
    "reverse of a payout": (
        "paid_out",
        lambda world, by: acts.reverse(world, world.at["payout"], by=by),
    ),
}
LABS: dict[str, tuple[str, Callable[[World, Actor], object]]] = {
    "licence.accept": (
        "licensed",
        lambda world, by: acts.accept(world, acts.grant(world), by=by),
    ),
    "run.open": ("licensed", lambda world, by: acts.open_run(world, by=by)),
    "run.close": ("trained", lambda world, by: acts.close_run(world, by=by)),
}


@pytest.mark.parametrize("what", SUBJECTS)
def test_a_society_acts_on_its_own_books_alone(
    what: str, stage: Callable[[str], World]
) -> None:
    """Another society of the same role is refused what the society itself may."""
    name, act = SUBJECTS[what]
    world = stage(name)
    before = world.state.digest()
    with pytest.raises(LedgerError):
        act(world, world.rival)
    assert world.state.digest() == before
    act(world, world.society)


@pytest.mark.parametrize("what", LABS)
def test_a_lab_acts_on_its_own_models_alone(
    what: str, stage: Callable[[str], World]
) -> None:
    """Another lab is refused what the lab itself may."""
    name, act = LABS[what]
    world = stage(name)
    with pytest.raises(LedgerError):
        act(world, world.other_lab)
    act(world, world.lab)
