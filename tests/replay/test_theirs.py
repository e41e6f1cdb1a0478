"""Whose tables count, which sides clear together, which heads stay who they are."""

from __future__ import annotations

from ledger.events import terms
from ledger.events.identity import PartyVerify
from ledger.events.types import PPM
from ledger.replay.shareout import verified_key
from tests.replay import acts
from tests.replay.acts import STRANGE
from tests.replay.acts import A
from tests.replay.acts import B
from tests.replay.making import signing_key
from tests.replay.outcomes import covered
from tests.replay.outcomes import findings
from tests.replay.outcomes import gross
from tests.replay.world import ANNA
from tests.replay.world import BERT
from tests.replay.world import CLEO
from tests.replay.world import World


def test_another_society_cannot_move_the_money(licensed: World) -> None:
    """Only the licensor's own tables count for its licence, whoever claims what."""
    acts.table(licensed, A, [(CLEO, PPM)], by=licensed.rival, effective=0)
    acts.open_run(licensed, [A])
    acts.table(licensed, A, [(CLEO, PPM)], by=licensed.rival, kind="correction")
    assert gross(licensed) == {(A, ANNA): 57_000_001, (A, BERT): 38_000_000}


def test_a_table_of_another_society_covers_nothing(licensed: World) -> None:
    """Cover needs a table of the licensor's, which knows what it licenses."""
    acts.catalogue(licensed, [A, B, STRANGE])
    acts.table(licensed, STRANGE, [(CLEO, PPM)], by=licensed.rival)
    acts.grant(licensed)
    acts.accept(licensed)
    acts.open_run(licensed, [A, STRANGE])
    assert covered(licensed) == 1
    assert findings(licensed) == {(STRANGE, "master"): ((CLEO, PPM),)}


def test_clear_all_is_billed_as_it_is_shared(licensed: World) -> None:
    """With one weighted side missing, none is covered, counted or shared."""
    sides = terms.SideWeights(composition=1, master=1, performer=0)
    acts.scheme(licensed, clear="all", sides=sides)
    both = acts.covers(sides=["composition", "master"])
    acts.grant(licensed, covers=both)
    acts.accept(licensed)
    acts.open_run(licensed, [A, B])
    assert covered(licensed) == 0
    assert set(findings(licensed)) == {(A, "master"), (B, "master")}


def test_a_party_of_a_manifest_is_verified_by_its_line(licensed: World) -> None:
    """It then counts as a head, under its external id."""
    assert verified_key(licensed.state, CLEO) is None
    body = PartyVerify(party=CLEO, source=(licensed.at["holders"], 3))
    licensed.operator.say("party.verify", body)
    assert verified_key(licensed.state, CLEO) == "demo:cleo"


def test_a_head_keeps_its_external_id_with_a_key(licensed: World) -> None:
    """A first key gives a party of a manifest no other place in the order."""
    before = verified_key(licensed.state, ANNA)
    body = licensed.key_body(ANNA, signing_key("anna root"), "root")
    sourced = acts.change(body, {"source": (licensed.at["holders"], 1)})
    licensed.operator.say("key", sourced)
    assert before == verified_key(licensed.state, ANNA) == "demo:anna"
