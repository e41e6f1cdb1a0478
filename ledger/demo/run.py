"""Runs a demonstration from an empty folder to proofs in hand."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from ledger.anchor import anchor_of
from ledger.anchor import log_id_of
from ledger.audit import Audit
from ledger.demo import catalogue
from ledger.demo import fiction
from ledger.demo.cast import GUITARIST
from ledger.demo.cast import LAB
from ledger.demo.cast import MUSICIANS
from ledger.demo.cast import NOTICE
from ledger.demo.cast import NOTICE_OF_FILES
from ledger.demo.cast import SOCIETY
from ledger.demo.pasting import program_words
from ledger.demo.pasting import verifier_words
from ledger.demo.stage import Stage
from ledger.demo.tamper import tamper
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.home import Home
from ledger.query import Reader
from ledger.storage.sqlite import SqliteStore
from ledger.writer import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.audit import Report
    from ledger.demo.tamper import Noticed
    from ledger.events.types import Basis

PROOF_NAME = "distribution.tlog-proof"


class Files(NamedTuple):
    """A catalogue and a training list of one's own, and how to share.

    Attributes:
        catalogue: path of the catalogue.
        dataset: path of the training list.
        fee_micro: what the run costs, in micro-units of SEK.
        basis: how the fee is shared.
    """

    catalogue: Path
    dataset: Path
    fee_micro: int
    basis: Basis


def run_demo(
    home: Path,
    say: Callable[[str], None],
    *,
    files: Files | None = None,
    tampering: bool = False,
    url: str = "http://127.0.0.1:8321",
) -> Report:
    """Build a demonstration log, verify it, and say what to try.

    Args:
        home: folder of the log; a former demonstration there is replaced.
        say: takes each line of what is told.
        files: one's own catalogue and training list; None for the fiction.
        tampering: whether to flip bytes of copies and show who notices.
        url: where the viewer will be.

    Raises:
        ConflictError: `home-not-a-demonstration`.
        LedgerError: what is wrong with a file.
        VerificationError, UnverifiableError: the log did not pass its audit.
    """
    notice = NOTICE if files is None else NOTICE_OF_FILES
    say(notice)
    with Stage(home, clock=now_ms, random=os.urandom, notice=notice) as stage:
        told = fiction.tell(stage) if files is None else _from_files(stage, files, say)
        stage.publish()
        vkey = stage.vkey
        say(f"log of {stage.log.size} entries in {home}")
    report = _verify(home, say)
    proof = _prove(home, told.distribution)
    (home / PROOF_NAME).write_text(proof, encoding="utf-8")
    if isinstance(told, fiction.Told):
        _end_of_fiction(home, told, vkey, url, say)
    else:
        _end_of_files(home, told, vkey, url, say)
    if tampering:
        _tamper(home, told.distribution, proof, vkey, say)
    return report


def _from_files(
    stage: Stage, files: Files, say: Callable[[str], None]
) -> catalogue.Told:
    return catalogue.tell(
        stage, files.catalogue, files.dataset, files.fee_micro, files.basis, say
    )


def _verify(home: Path, say: Callable[[str], None]) -> Report:
    store = SqliteStore.open(home, read_only=True)
    try:
        anchor = anchor_of(home, log_id_of(store) or b"")
        report = Audit(store, home / "public", anchor).run()
    finally:
        store.close()
    for problem in report.problems:
        say(f"FAILED entry {problem.index}: {problem.code}: {problem.message}")
    if not report.ok:
        raise VerificationError("audit-failed", "the demonstration failed its audit")
    if report.missing:
        raise UnverifiableError("audit-incomplete", "; ".join(report.missing))
    what = ", ".join(f"{number} {name}" for name, number in report.checked.items())
    say(f"verified: {what}")
    return report


def _prove(home: Path, index: int) -> str:
    reader = Reader.open(home)
    try:
        return reader.prove(index)
    finally:
        reader.close()


def _end_of_fiction(
    home: Path, told: fiction.Told, vkey: str, url: str, say: Callable[[str], None]
) -> None:
    guitarist = told.musicians[GUITARIST.handle].hex()
    program, option = program_words(), _home_option(home)
    say("")
    say(f"{GUITARIST.name}, {GUITARIST.part}: what was I paid, and why?")
    say(f"  {program} statement {guitarist} {option}")
    say(f"  {url}/party/{guitarist}")
    for member in MUSICIANS[1:]:
        say(f"{member.name}, {member.part}:")
        say(f"  {url}/party/{told.musicians[member.handle].hex()}")
    say(f"{LAB.name}: what did my run use, and what of it had no licence?")
    say(f"  {program} show {told.run} {option}")
    say(f"  {url}/entry/{told.run}")
    say(f"{SOCIETY.name}: who is owed what, and what waits?")
    say(f"  {program} balances {option}")
    say(f"  {url}/entry/{told.distribution}")
    _auditor(home, vkey, say)


def _end_of_files(
    home: Path, told: catalogue.Told, vkey: str, url: str, say: Callable[[str], None]
) -> None:
    program, option = program_words(), _home_option(home)
    say("")
    say(
        f"{told.recordings} recordings of {told.holders} holders; trained on"
        f" {told.trained}, {told.uncovered} of them uncovered"
    )
    say("A holder: what was I paid, and why?")
    say(f"  {program} search jamendo:artist {option}")
    say(f"{SOCIETY.name}: who is owed what?")
    say(f"  {program} balances --json {option}")
    say(f"  {url}/entry/{told.distribution}")
    _auditor(home, vkey, say)


def _auditor(home: Path, vkey: str, say: Callable[[str], None]) -> None:
    say("An auditor, with Python and nothing of ours:")
    for part in ("public", PROOF_NAME):
        place = shlex.quote(str(home / part))
        say(f"  {verifier_words()} {place} --vkey '{vkey}'")


def _home_option(home: Path) -> str:
    return f"--home {shlex.quote(str(home))}"


def _tamper(
    home: Path, index: int, proof: str, vkey: str, say: Callable[[str], None]
) -> None:
    say("")
    say("Now one bit is flipped, in copies:")
    with tempfile.TemporaryDirectory() as folder:
        noticed: list[Noticed] = tamper(Home(home), Path(folder), index, proof, vkey)
    for each in noticed:
        say(f"  {each.act}")
        say(f"    noticed by {each.who}")
        say(f"    FAILED {each.code}: {each.message}")
