"""What commands share that read a log which is somewhere else: where, and by whose key.

    --from https://example.com/log --vkey VKEY | --policy FILE [--cache FOLDER]

Whom to believe is said by the person who runs the command, and by nobody else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

import click

from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.errors import FormatError
from ledger.errors import UnverifiableError
from ledger.tlog.note import Vkey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import parse_vkey
from ledger.tlog.policy import Policy
from ledger.tlog.policy import check_logs
from ledger.tlog.policy import parse_policy
from ledger.tlog.text import format_base64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.reader import Reader
    from ledger.reader import Trust
    from ledger.tlog.checkpoint import Checkpoint

FILE_BYTES_MAX = 1 << 20

_Command = TypeVar("_Command", bound=Callable[..., Any])

vkey_option = click.option(
    "--vkey",
    "vkey_text",
    metavar="VKEY",
    help="The log's verifier key, as 'linernote vkey' prints it; get it from someone"
    " else than who gave you the log or the proof.",
)
policy_option = click.option(
    "--policy",
    metavar="FILE",
    help="Instead of a key, which logs to believe and which witnesses have to have"
    " cosigned (C2SP tlog-policy).",
)
from_option = click.option(
    "--from",
    "place",
    metavar="URL",
    help="Read the log from there, a URL or a folder, and verify what is read.",
)
cache_option = click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep there what was read with --from, and remember how far the log was: it"
    " can't show an older or another history later.",
)


@dataclass(frozen=True)
class Remote:
    """A log that is somewhere else.

    Attributes:
        place: URL or folder.
        trusted: whom to believe about it.
        cache: folder for what was read, if any.
    """

    place: str
    trusted: Vkey | Policy
    cache: Path | None

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """Open the log, at its newest checkpoint.

        Raises:
            LedgerError: as `open_source` and `Reader.checkpoint`.
        """
        from ledger.reader import Reader
        from ledger.reader import open_source

        trust = as_trust(self.trusted)
        with Reader(open_source(self.place), trust, self.cache) as reader:
            reader.checkpoint()
            if reader.followed:
                hint(changed_key(reader.trust))
            yield reader


def changed_key(trust: Trust | Vkey) -> str:
    """Say by which keys a log is verified that has changed them."""
    if isinstance(trust, Policy):
        vkeys: Sequence[Vkey] = [log.vkey for log in trust.logs]
    else:
        vkeys = [trust] if isinstance(trust, Vkey) else trust
    now = ", ".join(format_vkey(vkey) for vkey in vkeys)
    return f"the log has changed its key, as the old one signed: give {now} from now on"


def as_trust(trusted: Vkey | Policy) -> Trust:
    """Give what was read as a reader takes it."""
    return trusted if isinstance(trusted, Policy) else [trusted]


def log_document(checkpoint: Checkpoint) -> dict[str, Any]:
    """Give the checkpoint that a log was read by, as part of a document."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": format_base64(checkpoint.root),
    }


def read_trusted(vkey_text: str | None, policy_file: str | None) -> Vkey | Policy:
    """Read whom to believe.

    Raises:
        click.UsageError: not exactly one of the two is given.
        LedgerError: as `read_file`, `parse_vkey` and `parse_policy`.
    """
    if vkey_text is not None and policy_file is None:
        return parse_vkey(vkey_text.strip())
    if policy_file is not None and vkey_text is None:
        policy = parse_policy(read_file(Path(policy_file), "bad-policy"))
        check_logs(policy)
        return policy
    raise click.UsageError("give one of '--vkey' and '--policy'")


def read_file(path: Path, code: str) -> bytes:
    """Read a file of bounded size.

    Raises:
        FormatError: with that code, if it is larger than any such file.
        UnverifiableError: ``file-missing``.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UnverifiableError(
            "file-missing", f"{path}: {error.strerror}", hint="check the path"
        ) from None
    if len(data) > FILE_BYTES_MAX:
        raise FormatError(code, f"{path} is larger than {FILE_BYTES_MAX:,} bytes")
    return data


def make_remote(
    place: str | None,
    vkey_text: str | None,
    policy_file: str | None,
    cache: Path | None,
) -> Remote | None:
    """Gather the options; None if the log is the one at home.

    Raises:
        click.UsageError: they do not go together.
        LedgerError: as `read_trusted`.
    """
    if place is not None:
        return Remote(place, read_trusted(vkey_text, policy_file), cache)
    if cache is not None:
        raise click.UsageError("'--cache' goes with '--from'")
    return None


def remote_options(command: _Command) -> _Command:
    """Add ``--from`` and what goes with it, for commands that read the home without.

    The command takes them together, as ``remote``.
    """

    @functools.wraps(command)
    def gather(
        settings: Settings,
        *args: Any,  # noqa: ANN401 (whatever the command takes)
        place: str | None,
        vkey_text: str | None,
        policy: str | None,
        cache: Path | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        if place is None and (vkey_text, policy) != (None, None):
            raise click.UsageError("'--vkey' and '--policy' go with '--from'")
        if place is not None and settings.named:
            raise click.UsageError("'--from' reads another log than '--home'")
        remote = make_remote(place, vkey_text, policy, cache)
        return command(settings, *args, remote=remote, **kwargs)

    decorated: Any = gather
    for option in (cache_option, policy_option, vkey_option, from_option):
        decorated = option(decorated)
    result: _Command = decorated
    return result
