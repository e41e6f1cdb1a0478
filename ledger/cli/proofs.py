"""Commands about proofs: made with the log at hand, verified without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.cli.failing import error_document
from ledger.cli.failing import show
from ledger.cli.logs import verify_log
from ledger.cli.reading import Remote
from ledger.cli.reading import as_trust
from ledger.cli.reading import cache_option
from ledger.cli.reading import from_option
from ledger.cli.reading import log_document
from ledger.cli.reading import make_remote
from ledger.cli.reading import policy_option
from ledger.cli.reading import read_file
from ledger.cli.reading import read_trusted
from ledger.cli.reading import remote_options
from ledger.cli.reading import vkey_option
from ledger.entry.envelope import parse_entry
from ledger.entry.envelope import parse_event
from ledger.errors import ConflictError
from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.home import write_durably
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import parse_note
from ledger.tlog.policy import Policy
from ledger.tlog.proof import format_proof
from ledger.tlog.proof import parse_proof
from ledger.words import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.reader import Reader
    from ledger.tlog.checkpoint import Checkpoint
    from ledger.tlog.note import Vkey
    from ledger.tlog.proof import Proof

# What failed outweighs what could not be verified, and that what could not be read.
_GRAVITY = (VerificationError.exit_code, UnverifiableError.exit_code)


@click.command(
    cls=Command,
    examples="""
    linernote prove 17 -o 17.tlog-proof
    linernote verify 17.tlog-proof --vkey "$(linernote vkey)"
    linernote prove 17 -o p --from https://example.com/log --vkey "$(cat log.vkey)"
    """,
)
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "-o", "--out", metavar="FILE", help="File to write.  [default: standard output]"
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@home_option
@json_option
@pass_settings
@remote_options
def prove(
    settings: Settings,
    index: int,
    *,
    out: str | None,
    force: bool,
    remote: Remote | None,
) -> None:
    """Write the proof that an entry is in the log.

    A C2SP .tlog-proof: the entry itself, the path of hashes to the root, and the
    checkpoint that the log signed. Whoever has the log's verifier key can verify it
    offline, with this or any other tool that knows the format. Once the log's key has
    been changed, that takes the old key, or the log: 'linernote verify --from URL'.

    With --from, the proof is made of the tiles that a log publishes; it is written only
    if it holds.
    """
    if remote is not None:
        with remote.open() as log:
            text = format_proof(log.prove(index))
    else:
        with open_home(settings) as reader:
            text = reader.prove(index)
    if out is not None:
        path = Path(out)
        if path.exists() and not force:
            raise ConflictError(
                "file-exists",
                f"{out} exists already",
                hint="give --force, or another -o",
            )
        write_durably(path, text.encode())
        hint(f"wrote {out}")
    if settings.json:
        print_document({"index": index, "file": out, "proof": text})
    elif out is None:
        click.echo(text, nl=False)


@dataclass(frozen=True)
class Verified:
    """What a proof shows."""

    origin: str
    size: int
    index: int
    leaf_hash: bytes
    kind: str
    author: bytes
    time_ms: int
    witnesses: tuple[str, ...] | None
    """Those of the policy who cosigned, if there was a policy."""

    def to_json(self) -> dict[str, Any]:
        """Give the part of the document."""
        cosigned = {} if self.witnesses is None else {"witnesses": self.witnesses}
        return {
            "ok": True,
            "origin": self.origin,
            "size": self.size,
            "index": self.index,
            "leaf_hash": self.leaf_hash.hex(),
            "kind": self.kind,
            "author": self.author.hex(),
            "time_ms": self.time_ms,
            **cosigned,
        }


@click.command(
    cls=Command,
    examples="""
    linernote verify 17.tlog-proof --vkey "$(cat log.vkey)"
    linernote verify *.tlog-proof --vkey example.com/log+1dde4531+ATtqJ7… --json
    linernote verify 17.tlog-proof --policy trusted.policy
    all of a log, as it is published
    linernote verify --from https://example.com/log --vkey "$(cat log.vkey)"
    """,
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@vkey_option
@policy_option
@from_option
@cache_option
@json_option
@pass_settings
def verify(
    settings: Settings,
    files: tuple[str, ...],
    *,
    vkey_text: str | None,
    policy: str | None,
    place: str | None,
    cache: Path | None,
) -> int:
    """Verify proofs offline, or a log somewhere else.

    A proof needs no log and no network. It shows that its entry is in the log that the
    key signs for, in this place and with these bytes. It does not say whether the log's
    rules were kept: that is what 'linernote audit' replays.

    A key shows what one log says. Witnesses, whom a policy names, show that it says the
    same to everybody.

    With --from, each proof has to be from the history that the log shows now. Without
    a FILE, all of the log is read from there: bytes, tree, chain and signatures.

    Exit code 4 means that a proof FAILED, 5 that it could not be verified (a missing
    file, a proof without its entry, a key that the log had before, no network).
    """
    remote = make_remote(place, vkey_text, policy, cache)
    if remote is None:
        if not files:
            raise click.UsageError("name a FILE, or a log with '--from'")
        return _report(settings, files, read_trusted(vkey_text, policy), None)
    with remote.open() as log:
        if not files:
            verify_log(settings, remote.place, log)
            return 0
        return _report(settings, files, remote.trusted, log)


def _report(
    settings: Settings,
    files: Sequence[str],
    trusted: Vkey | Policy,
    log: Reader | None,
) -> int:
    outcomes = [(file, _outcome(file, trusted, log)) for file in files]
    if settings.json:
        document: dict[str, Any] = {"proofs": [_document(*each) for each in outcomes]}
        if log is not None:
            document["log"] = log_document(log.latest)
        print_document(document)
    else:
        for file, outcome in outcomes:
            _print(file, outcome)
        if log is not None:
            hint(f"compared with the log's {log.latest.size:,} entries")
    return _exit_code([outcome for _, outcome in outcomes])


def _outcome(
    file: str, trusted: Vkey | Policy, log: Reader | None
) -> Verified | LedgerError:
    try:
        return _verify(file, trusted, log)
    except LedgerError as error:
        return error


def _verify(file: str, trusted: Vkey | Policy, log: Reader | None) -> Verified:
    """Verify a proof, and read the entry that it proves."""
    proof = parse_proof(_read_proof(Path(file)))
    if proof.extra is None:
        raise UnverifiableError(
            "proof-without-entry",
            "the proof does not hold the entry that it is for",
            hint="ask for one made by 'linernote prove', which holds it",
        )
    checkpoint, witnesses = _check(proof, proof.extra, trusted, log)
    entry = parse_entry(proof.extra)
    if entry.index != proof.index:
        raise VerificationError(
            "wrong-index",
            f"the entry says that it is {entry.index}, the proof is for {proof.index}",
        )
    event = parse_event(entry.event)
    return Verified(
        checkpoint.origin,
        checkpoint.size,
        entry.index,
        leaf_hash(proof.extra),
        event.kind,
        event.author,
        entry.time,
        witnesses,
    )


def _check(
    proof: Proof, leaf_data: bytes, trusted: Vkey | Policy, log: Reader | None
) -> tuple[Checkpoint, tuple[str, ...] | None]:
    from ledger.reader import Belief

    if log is not None:
        cosigned = log.verify(proof, leaf_data)
    else:
        try:
            cosigned = Belief(as_trust(trusted)).verify(proof, leaf_data)
        except VerificationError as error:
            if error.code == "not-signed":
                raise _perhaps_rotated(error, proof.checkpoint, trusted) from None
            raise
    if isinstance(trusted, Policy):
        return cosigned.checkpoint, tuple(map(harmless, cosigned.witnesses))
    return cosigned.checkpoint, None


def _perhaps_rotated(
    error: VerificationError, checkpoint: str, trusted: Vkey | Policy
) -> LedgerError:
    """Tell a signature by no key at hand from one that should be there and is not."""
    if isinstance(trusted, Policy):
        vkeys = [log.vkey for log in trusted.logs]
    else:
        vkeys = [trusted]
    names, ids = ({vkey.name for vkey in vkeys}, {vkey.key_id for vkey in vkeys})
    signers = [each for each in parse_note(checkpoint).signatures if each.name in names]
    if signers and not any(each.key_id in ids for each in signers):
        return UnverifiableError(
            "log-key-unknown",
            f"it is signed by an earlier or unknown key of {harmless(signers[0].name)}",
            hint="give '--from' with the log's address as well: its entries say which"
            " keys it had",
        )
    return VerificationError(
        error.code,
        error.message,
        hint="compare the vkey with the log's; if the log has changed its key since, it"
        " leads there itself: give '--from' with its address as well",
    )


def _read_proof(path: Path) -> str:
    if path.is_dir():
        raise UnverifiableError(
            "not-a-proof",
            f"{path} is a folder",
            hint="tools/verify.py verifies a public folder; 'linernote audit' a home",
        )
    try:
        return read_file(path, "bad-proof").decode()
    except UnicodeDecodeError:
        raise FormatError("bad-proof", f"{path} is no text of a proof") from None


def _document(file: str, outcome: Verified | LedgerError) -> dict[str, Any]:
    if isinstance(outcome, LedgerError):
        failed = {"ok": False, "exit_code": outcome.exit_code}
        return {"file": file, **failed, "error": error_document(outcome)}
    return {"file": file, **outcome.to_json()}


def _print(file: str, outcome: Verified | LedgerError) -> None:
    if isinstance(outcome, LedgerError):
        words = {4: "FAILED", 5: "could not be verified"}
        said = words.get(outcome.exit_code, "is no proof")
        click.echo(f"{harmless(file)}: {said}")
        show(outcome, as_json=False)
        return
    cosigned = ""
    if outcome.witnesses is not None:
        cosigned = f"; cosigned by {', '.join(outcome.witnesses) or 'nobody'}"
    click.echo(
        f"{harmless(file)}: verified: entry {outcome.index} ({outcome.kind}, taken in"
        f" {moment(outcome.time_ms)}) is in {outcome.origin}, among its first"
        f" {outcome.size:,} entries{cosigned}"
    )


def _exit_code(outcomes: Sequence[Verified | LedgerError]) -> int:
    codes = {each.exit_code for each in outcomes if isinstance(each, LedgerError)}
    for code in _GRAVITY:
        if code in codes:
            return code
    return min(codes, default=0)
