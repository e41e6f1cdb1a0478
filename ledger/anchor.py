"""The anchor: what this machine remembers of a log, outside the log's home.

    $LINERNOTE_ANCHOR/<log id>/checkpoint     by default under $XDG_STATE_HOME/linernote
                                              or ~/.local/state/linernote

It is the exact text of the last checkpoint that was to be signed (format.md §7). A
home that was copied, restored or set back does not bring it along, and is noticed by
it: the log's tree has to hold the anchored one. It is replaced before a checkpoint is
signed, so nothing that was ever signed is larger.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     anchor = Anchor(Path(folder) / "a")
...     anchor.swap(None, "first")
...     anchor.swap("first", "second")
...     anchor.read()
'second'
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.entry.canonical import DECODE_ERRORS
from ledger.entry.envelope import decode_entry
from ledger.entry.envelope import event_hash
from ledger.errors import FormatError
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.home import write_durably
from ledger.replay import State
from ledger.storage.lock import waiting_lock
from ledger.storage.sync import sync
from ledger.tlog.checkpoint import parse_checkpoint
from ledger.tlog.merkle import tree_root
from ledger.tlog.note import parse_note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.storage.base import Store
    from ledger.tlog.checkpoint import Checkpoint

VARIABLE = "LINERNOTE_ANCHOR"
STATE_VARIABLE = "XDG_STATE_HOME"
FILE_NAME = "checkpoint"

_WAY_BACK = "'linernote restore --from PLACE', where PLACE is where readers get the log"
_ANEW = f"{_WAY_BACK}, and --vkey with the newest verifier key, as readers have it"


class Anchor:
    """The anchor of one log.

    Args:
        folder: of this log alone; made when something is first put there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / FILE_NAME

    def read(self) -> str | None:
        """Read the anchored text; None if there is none.

        Raises:
            HomeError: `anchor-unreadable`.
        """
        try:
            return self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise _unreadable(self._file) from error

    def checkpoint(self) -> Checkpoint | None:
        """Read what is anchored; None if nothing is.

        Raises:
            HomeError: `anchor-unreadable`.
        """
        text = self.read()
        try:
            return None if text is None else parse_checkpoint(text)
        except FormatError as error:
            raise _unreadable(self._file) from error

    def swap(self, old: str | None, new: str) -> None:
        """Replace the text, durably, if it still is `old`; again does no harm.

        Raises:
            HomeError: `anchor-moved`, `sync-failed`.
        """
        _make_durably(self.folder)
        with waiting_lock(self.folder / "lock"):
            now = self.read()
            if now not in (old, new):
                raise HomeError(
                    "anchor-moved",
                    f"{self._file} is not what was read a moment ago",
                    hint="a copy of this home is written to as well: stop both",
                )
            write_durably(self._file, new.encode(), 0o600)

    def remove(self) -> None:
        """Forget the log: only for one that is removed as a whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def anchor_path(log_id: bytes, environ: Mapping[str, str]) -> Path:
    """Say where the anchor of a log is.

    Raises:
        HomeError: `anchor-nowhere`: no place is named, and there is no home folder.

    >>> anchor_path(bytes(2), {"LINERNOTE_ANCHOR": "/var/lib/anchors"}).as_posix()
    '/var/lib/anchors/0000'
    >>> anchor_path(bytes(2), {"XDG_STATE_HOME": "/home/a/state"}).as_posix()
    '/home/a/state/linernote/0000'
    """
    return _base(environ) / log_id.hex()


def _base(environ: Mapping[str, str]) -> Path:
    named = environ.get(VARIABLE)
    if named:
        return Path(named)
    state = Path(environ.get(STATE_VARIABLE) or "")
    if state.is_absolute():  # a relative one does not count (XDG Base Directory)
        return state / "linernote"
    try:
        return Path.home() / ".local" / "state" / "linernote"
    except RuntimeError as error:
        raise HomeError(
            "anchor-nowhere",
            "there is no folder to remember the last checkpoint in",
            hint=f"name one outside of the log home with {VARIABLE}",
        ) from error


def check_outside(home: Path, environ: Mapping[str, str]) -> None:
    """Refuse a place within the home: whoever copied that would copy both.

    Raises:
        InputError: `anchor-inside-home`.
    """
    base = _base(environ).resolve()
    if base.is_relative_to(home.resolve()):
        raise InputError(
            "anchor-inside-home",
            f"{base} is in the log home, and would be copied and set back with it",
            hint=f"name another folder with {VARIABLE}, best on another disk",
        )


def anchor_of(home: Path, log_id: bytes) -> Anchor:
    """Give the anchor of the log in a home, where this machine's environment says.

    Raises:
        InputError: `anchor-inside-home`.
    """
    check_outside(home, os.environ)
    return Anchor(anchor_path(log_id, os.environ))


def log_id_of(store: Store) -> bytes | None:
    """Read a log's id off its state, else off its first entry; None without either."""
    if store.size() == 0:
        return None
    try:
        log = State("public", store.rows).log
        if log is not None:
            return log.log
        return event_hash(decode_entry(store.leaf(0)).event)
    except DECODE_ERRORS:
        return None


def check_anchored(store: Store, origin: str, anchor: Anchor) -> Checkpoint | None:
    """Demand that a store holds the whole tree that this machine anchored.

    Returns:
        What is anchored; None if nothing has ever been published.

    Raises:
        HomeError: `anchor-missing`, `anchor-unreadable`, `behind-anchor`,
            `anchor-differs`.
    """
    anchored = anchor.checkpoint()
    if anchored is None and _has_published(store, origin):
        raise _missing(anchor)
    check_grown(store, origin, anchored)
    return anchored


def _has_published(store: Store, origin: str) -> bool:
    """Tell whether a log has; one that just succeeded another did so as that alone."""
    text = store.checkpoint()
    return text is not None and parse_checkpoint(parse_note(text).text).origin == origin


def check_grown(store: Store, origin: str, anchored: Checkpoint | None) -> None:
    """Demand that a store holds an anchored tree, if there is one.

    Raises:
        HomeError: `behind-anchor`, `anchor-differs`.
    """
    if anchored is None:
        return
    size = store.size()
    if anchored.origin != origin:
        raise _differs(f"what is anchored is of {anchored.origin}, not of {origin}")
    if anchored.size > size:
        raise HomeError(
            "behind-anchor",
            f"this log has {size} entries, and a checkpoint of {anchored.size} was"
            " to be signed on this machine",
            hint="this is an old copy: put the newest home in its place, or catch up"
            f" with {_WAY_BACK}",
        )
    if tree_root(anchored.size, store.nodes) != anchored.root:
        raise _differs(
            f"the first {anchored.size} entries are not those that were anchored"
        )


def _missing(anchor: Anchor) -> HomeError:
    """Say that a log that has published has no anchor here."""
    return HomeError(
        "anchor-missing",
        f"this log has published, and {anchor.folder} does not know it: the home may"
        " be a copy, whose original goes on elsewhere",
        hint=f"stop the original, then {_ANEW}; or name the folder of the anchors"
        f" with {VARIABLE}",
    )


def _differs(message: str) -> HomeError:
    return HomeError(
        "anchor-differs",
        message,
        hint="write nothing: keep the home and the anchor, and compare both with what"
        " readers hold; one of them shows another history",
    )


def _unreadable(path: Path) -> HomeError:
    return HomeError(
        "anchor-unreadable",
        f"{path} is no text of a checkpoint",
        hint=f"move it away, then {_ANEW}",
    )


def _make_durably(folder: Path) -> None:
    """Make a folder and those above it, each durable before it is used."""
    if folder.is_dir():
        return
    _make_durably(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)
