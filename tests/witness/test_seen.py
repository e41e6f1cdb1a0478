"""What witnesses say that they saw: what shuts a home, and what is only told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.tlog.note import format_vkey
from ledger.tlog.policy import Policy
from ledger.tlog.policy import parse_policy
from ledger.witnessing import Gathered
from ledger.witnessing import Outcome
from ledger.witnessing import check_outcomes
from ledger.witnessing import gather
from tests.witness.logs import GrowingLog
from tests.witness.logs import make_witness
from tests.witness.servers import answering
from tests.witness.servers import behaving
from tests.witness.servers import serving

LOG = GrowingLog()
FORK = GrowingLog("other", 4)


def ask(policy: Policy, log: GrowingLog, size: int, known: int) -> Gathered:
    """Ask the one witness of a policy, from a size that it is thought to have."""
    return gather(
        *(policy, log.checkpoint(size), lambda old: log.prove(old, size)),
        known={"w": known},
    )


@pytest.mark.parametrize(("size", "known"), [(9, 9), (12, 9), (12, 12), (12, 0)])
def test_another_tree_is_told_whatever_its_size(
    size: int, known: int, tmp_path: Path
) -> None:
    """Of our size or of a smaller one, asked from there or sent there first."""
    witness = make_witness(tmp_path / "witness", LOG)
    witness.add_checkpoint(LOG.request(0, 9))
    with serving(witness) as url:
        line = f"witness w {format_vkey(witness.vkey)} {url}\n"
        gathered = ask(parse_policy(f"{line}quorum w\n"), FORK, size, known)
    outcome = gathered.outcomes["w"]
    assert (outcome.code, outcome.size) == ("witness-differs", 9)
    assert gathered.text == FORK.checkpoint(size)


@pytest.mark.parametrize(
    ("answer", "known", "code"),
    [
        (("409 Conflict", b"7\n"), 7, "witness-differs"),
        (("409 Conflict", b"7\n"), 3, "witness-differs"),
        (("409 Conflict", b"3\n"), 3, "stale-size"),
        (("422 Unprocessable Content", b"no\n"), 7, "witness-differs"),
        (("422 Unprocessable Content", b"no\n"), 0, "refused"),
        (("403 Forbidden", b"no\n"), 7, "refused"),
        (("503 Service Unavailable", b"no\n"), 7, "refused"),
    ],
)
def test_what_answers_mean(
    answer: tuple[str, bytes], known: int, code: str, tmp_path: Path
) -> None:
    """A witness that insists on our own size, or denies our proof, has another tree.

    One that was asked from nothing denies no proof.
    """
    vkey = format_vkey(make_witness(tmp_path / "witness").vkey)
    with behaving(answering(*answer)) as url:
        policy = parse_policy(f"witness w {vkey} {url}\nquorum w\n")
        assert ask(policy, LOG, 7, known).outcomes["w"].code == code


def test_who_contradicts_and_who_is_silent() -> None:
    """More than was signed, or another tree, is refused; the others are given."""
    silent = {
        "s": Outcome("timeout"),
        "t": Outcome("refused"),
        "u": Outcome("stale-size", size=99),
    }
    fine = {"c": Outcome("cosigned", size=5), "d": Outcome("witness-ahead", size=7)}
    assert check_outcomes({**silent, **fine}, 7) == silent
    for code, outcome in (
        ("behind-witness", Outcome("witness-ahead", size=8)),
        ("witness-differs", Outcome("witness-differs", size=3)),
    ):
        with pytest.raises(HomeError) as error:
            check_outcomes({**silent, "x": outcome, **fine}, 7)
        assert (error.value.code, error.value.exit_code) == (code, 8)
        assert "witness x" in error.value.message
        assert error.value.hint
