"""Asking all the time: whenever something was published, and again who was late.

Nobody waits for a witness who has something else to do: publishing is done before they
are asked, and one that is slow holds up neither the others nor the next round. One that
was silent at the start may say later that it saw more than was signed here, or another
history; then whoever writes is told, and ends.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING
from typing import Self

from ledger.asking.round import SECONDS
from ledger.asking.round import Busy
from ledger.asking.round import ask_witnesses
from ledger.errors import HomeError
from ledger.errors import LedgerError
from ledger.witnessing import DENIALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.home import Home

AGAIN_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Asker:
    """Asks whenever a checkpoint was published, and again for those who were late.

    Args:
        home: of the log.
        seconds: after which a witness is not waited for any more.
        on_denial: is told by what a witness denies this log (`check_outcomes`).
    """

    def __init__(
        self,
        home: Home,
        *,
        seconds: float = SECONDS,
        on_denial: Callable[[HomeError], object] = lambda _: None,
    ) -> None:
        self._home = home
        self._on_denial = on_denial
        self._seconds = seconds
        self._news = threading.Event()
        self._over = False
        self._busy = Busy()
        self._rounds: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._work, name="asker", daemon=True)
        self._news.set()
        self._thread.start()

    def wake(self, size: int = 0) -> None:
        """Note that a checkpoint was published; it takes no time."""
        del size
        self._news.set()

    def close(self) -> None:
        """Ask for what was published last, and end."""
        self._over = True
        self._news.set()
        self._thread.join()

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _work(self) -> None:
        over = False
        while not over:
            self._news.wait(AGAIN_SECONDS)
            self._news.clear()
            over = self._over
            begun = threading.Thread(target=self._ask, name="asking", daemon=True)
            begun.start()
            self._rounds = [*filter(threading.Thread.is_alive, self._rounds), begun]
        for each in self._rounds:
            each.join()

    def _ask(self) -> None:
        """Ask those whom no earlier round waits for."""
        try:
            ask_witnesses(self._home, seconds=self._seconds, busy=self._busy)
        except (LedgerError, OSError) as error:
            if isinstance(error, HomeError) and error.code in DENIALS:
                _log.error("%s", error)
                self._on_denial(error)
                return
            _log.warning("witnesses were not asked: %s", error)
