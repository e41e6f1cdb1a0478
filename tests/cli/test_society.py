"""`linernote distribute` and `payout`: the society's day, to the micro-unit."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import FEE_MICRO
from tests.cli.conftest import RECORDINGS
from tests.cli.conftest import Town
from tests.cli.conftest import due

# 900.00 over six recordings: 150.00 each, less 9.6 % fee, less 10 % of what is left.
NET_EACH = 150_000_000 - 14_400_000 - 13_560_000
DISTRIBUTE = ("distribute", "--run", "run-1", "--licence")
PAYOUT = ("payout", "--currency", "SEK", "--tax-ppm", 300_000)


def test_a_rehearsal_shows_every_line_and_appends_none(paid: Town) -> None:
    """--dry-run computes what would be appended, and leaves the log alone."""
    size = paid.size
    planned = paid.must(*DISTRIBUTE, paid.at["licence"], "--dry-run")
    assert paid.size == size
    assert planned["index"] is None
    assert [line["recording"] for line in planned["lines"]] == RECORDINGS
    assert {line["net"] for line in planned["lines"]} == {NET_EACH}
    done = paid.must(*DISTRIBUTE, paid.at["licence"])
    assert done["lines"] == planned["lines"]
    assert (done["index"], paid.size) == (size, size + 1)


def test_a_distribution_adds_up(paid: Town) -> None:
    """Fee, cultural deduction, net, suspense and reserve are the pool."""
    sums = paid.must(*DISTRIBUTE, paid.at["licence"])["sums"]
    pool = sums.pop("pool")
    assert pool == FEE_MICRO == sum(sums.values())
    balances = paid.must("balances")
    assert sum(each["payable"] for each in balances["balances"]) == sums["net"]
    assert paid.must("audit")["ok"] is True


def test_what_a_distribution_gives_is_told_to_people(paid: Town) -> None:
    """Amounts come in the major unit, with the entry that gave them."""
    done = paid.run(*DISTRIBUTE, paid.at["licence"])
    assert "SEK 900.00" in done.out
    assert f"entry {paid.size - 1}" in done.out


def test_an_unpaid_due_is_not_distributed(licensed: Town) -> None:
    """Only money that has come in can be shared out."""
    distribute = (*DISTRIBUTE, licensed.at["licence"])
    done = licensed.run(*distribute)
    assert (done.code, done.error) == (3, "pool-unknown")
    licensed.say("due", due(licensed), "society")
    for more in ((), ("--dry-run",)):
        done = licensed.run(*distribute, *more)
        assert (done.code, done.error) == (3, "due-unpaid")
        assert "SEK 900.00" in done.err


def test_a_pool_is_shared_out_once(paid: Town) -> None:
    """A second distribution of the same pool is a conflict (exit 6)."""
    paid.must(*DISTRIBUTE, paid.at["licence"])
    done = paid.run(*DISTRIBUTE, paid.at["licence"])
    assert (done.code, done.error) == (6, "pool-closed")


def test_only_the_society_shares_its_pool(paid: Town) -> None:
    """Another party's key is not authorised (exit 7)."""
    done = paid.run(*DISTRIBUTE, paid.at["licence"], "--key", "lab")
    assert (done.code, done.error) == (7, "missing-role")
    (paid.home / "keys" / "society.key").unlink()
    done = paid.run(*DISTRIBUTE, paid.at["licence"])
    assert (done.code, done.error) == (3, "key-needed")


def test_the_newest_key_of_the_society_signs(paid: Town) -> None:
    """The key in force that was added last is found without being named."""
    another = ("key", "new", "a-second", "--of", "society", "--register")
    paid.must(*another, "--no-passphrase")
    done = paid.must(*DISTRIBUTE, paid.at["licence"])
    signed_by = paid.must("show", done["index"])["event"]["key"]
    keys = {key["key"]: key["name"] for key in paid.must("key", "list")["keys"]}
    assert keys[signed_by] == "a-second"


def test_a_payout_pays_whole_minor_units_less_tax(paid: Town) -> None:
    """Each balance is floored and taxed; what remains stays payable."""
    paid.must(*DISTRIBUTE, paid.at["licence"])
    planned = paid.must(*PAYOUT, "--dry-run")
    done = paid.must(*PAYOUT)
    assert done["lines"] == planned["lines"]
    assert len(done["lines"]) == 3
    for line in done["lines"]:
        assert line["gross"] == 2 * NET_EACH == 244_080_000
        assert (line["tax"], line["sent"]) == (73_220_000, 170_860_000)
    paid.say(
        "payout.result",
        {"charges": 0, "outcome": "confirmed", "payout": done["index"]},
        "society",
    )
    assert {each["paid"] for each in paid.must("balances")["balances"]} == {244_080_000}
    assert paid.must("audit")["ok"] is True


def test_the_threshold_keeps_small_balances_back(paid: Town) -> None:
    """A balance below the threshold is not paid; nothing to pay is told."""
    paid.must(*DISTRIBUTE, paid.at["licence"])
    done = paid.run(*PAYOUT, "--threshold", "244.09")
    assert (done.code, done.error) == (3, "nothing-payable")
    assert len(paid.must(*PAYOUT, "--threshold", "244.08")["lines"]) == 3
    done = paid.run(*PAYOUT)
    assert (done.code, done.error) == (3, "nothing-payable")


def test_a_payout_above_the_balance_is_refused(paid: Town) -> None:
    """A batch by hand cannot pay more than is owed."""
    lines = paid.must(*DISTRIBUTE, paid.at["licence"])["lines"]
    batch = {
        "party": lines[0]["party"],
        "gross": 244_090_000,
        "sent": 244_090_000,
        "tax": 0,
    }
    Path("batch.ndjson").write_text(json.dumps(batch), encoding="utf-8")
    body = {"currency": "SEK", "tax_ppm": 0, "threshold": 0}
    done = paid.refused("payout", body, "society", "--lines", "batch=batch.ndjson")
    assert (done.code, done.error) == (3, "payout-above-balance")


def test_a_payout_needs_a_currency_of_the_log_and_a_society(paid: Town) -> None:
    """What is not counted here, or nobody's here, is refused."""
    done = paid.run("payout", "--currency", "NOK")
    assert (done.code, done.error) == (3, "currency-unknown")
    (paid.home / "keys" / "society.key").unlink()
    done = paid.run(*PAYOUT)
    assert (done.code, done.error) == (3, "key-needed")


def test_a_run_is_billed_and_paid_without_writing_events(licensed: Town) -> None:
    """What the tariff asks becomes a due; what came in is applied to it."""
    bill = ("bill", "--licence", licensed.at["licence"], "--run", "run-1", "--by")
    told = licensed.must(*bill, "2026-12-31", "--vat-ppm", 250_000)
    assert told["sums"] == {"net": FEE_MICRO, "vat": FEE_MICRO // 4}
    body = licensed.must("show", told["index"])["body"]
    assert (body["quantity"], body["day"]) == (len(RECORDINGS), 20_818)
    receive = ("receive", "--due", told["index"], "--amount")
    half = licensed.must(*receive, "1000.00", "--charges", "1.50")
    assert half["sums"] == {"received": 1_000_000_000, "still_due": 125_000_000}
    assert licensed.run("distribute", *bill[1:5]).error == "due-unpaid"
    rest = licensed.must(*receive, "200.00")
    body = licensed.must("show", rest["index"])["body"]
    assert body["applies"] == [{"amount": 125_000_000, "due": told["index"]}]
    assert rest["sums"]["still_due"] == 0
    assert rest["sums"]["prepaid"] == 200_000_000 - 125_000_000
    late = licensed.must(*receive, "1.00")
    assert late["sums"]["prepaid"] == 1_000_000  # nothing was due any more
    assert licensed.run("distribute", *bill[1:5]).code == 0
    assert licensed.must("audit")["ok"] is True


def test_people_read_what_was_billed_and_paid(licensed: Town) -> None:
    """Amounts come in the major unit, with the entry."""
    bill = ("bill", "--licence", licensed.at["licence"], "--run", "run-1", "--by")
    done = licensed.run(*bill, "2026-12-31")
    assert "SEK 900.00" in done.out
    index = licensed.size - 1
    assert f"entry {index}" in done.out
    done = licensed.run("receive", "--due", index, "--amount", "400.00")
    assert "SEK 500.00" in done.out


def test_what_cannot_be_billed_or_paid_is_refused(licensed: Town) -> None:
    """A run is billed once, at its licence; only dues are paid, in sums above zero."""
    bill = ("bill", "--run", "run-1", "--by", "2026-12-31", "--licence")
    done = licensed.run(*bill, 0)
    assert (done.code, done.error) == (3, "licence-unknown")
    due_index = licensed.must(*bill, licensed.at["licence"])["index"]
    done = licensed.run(*bill, licensed.at["licence"])
    assert (done.code, done.error) == (6, "already-billed")
    done = licensed.run("receive", "--due", 0, "--amount", "1.00")
    assert (done.code, done.error) == (3, "due-unknown")
    receive = ("receive", "--due", due_index, "--amount")
    done = licensed.run(*receive, "0")
    assert (done.code, done.error) == (3, "bad-body")
    done = licensed.run(*receive, "-1")
    assert (done.code, done.error) == (2, "usage")
