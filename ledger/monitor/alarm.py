"""An alarm: what a log did that it must never do, with the evidence, and who is told.

| alarm | means |
|---|---|
| `fork` | checkpoints that do not continue each other, or what a retired key signed |
| `rolled-back` | a checkpoint smaller than one before |
| `stale-checkpoint` | nothing newer for longer than agreed |
| `time-ahead` | an entry or a cosignature of a time that is still to come |
| `invalid-entry` | an entry that does not hold, or that breaks a rule of the log |
| `unexpected-key` | a signature by no key of the log's, or none by one that is |
| `unverified` | anything else that does not hold: a signature, a tile, the policy |

>>> from ledger.errors import VerificationError
>>> error = VerificationError("not-signed", "no signature by a known key")
>>> Alarm.of_error(error, "log.example/a", 1_764_000_000_000).alarm
'unexpected-key'
"""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import Any
from typing import Self

import msgspec

from ledger import __version__
from ledger.errors import InputError
from ledger.errors import LedgerError

WEBHOOK_SECONDS_MAX = 10.0

_ALARM_OF_CODE = {
    "fork": "fork",
    "not-signed": "unexpected-key",
    "rolled-back": "rolled-back",
    "root-mismatch": "fork",
    "stale-checkpoint": "stale-checkpoint",
    "time-ahead": "time-ahead",
    "unexpected-key": "unexpected-key",
}


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm.

    Attributes:
        alarm: what kind; see above.
        code: of the error behind it, stable.
        message: what was wrong, and where.
        hint: what to do.
        origin: of the log.
        time_ms: when it was noticed, by this machine's clock, ms since 1970.
        index: of the entry, if it is about one.
        checkpoints: signed notes that prove it, older first: SHA-256 of each, hex, by
            which it is kept.
    """

    alarm: str
    code: str
    message: str
    hint: str
    origin: str
    time_ms: int
    index: int | None = None
    checkpoints: tuple[str, ...] = ()

    @classmethod
    def of_error(
        cls,
        error: LedgerError,
        origin: str,
        time_ms: int,
        index: int | None = None,
        checkpoints: tuple[str, ...] = (),
    ) -> Self:
        """Make the alarm that an error calls for."""
        kind = "unverified" if index is None else "invalid-entry"
        return cls(
            alarm=_ALARM_OF_CODE.get(error.code, kind),
            code=error.code,
            message=error.message,
            hint=error.hint,
            origin=origin,
            time_ms=time_ms,
            index=index,
            checkpoints=checkpoints,
        )

    def to_json(self) -> dict[str, Any]:
        """Give the document."""
        return msgspec.structs.asdict(self)

    def line(self) -> str:
        """Give the document on one line, in ASCII."""
        return json.dumps(self.to_json())


def check_webhook(url: str) -> None:
    """Refuse what is no address to post to.

    Raises:
        InputError: `bad-url`.
    """
    if not url.startswith(("http://", "https://")) or not url.isprintable():
        raise InputError(
            "bad-url",
            f"{url[:80]!r} is no http or https URL",
            hint="name an address that takes a POST, or leave --webhook out",
        )


def post(url: str, alarm: Alarm) -> str:
    """Post an alarm as JSON, once; whatever happens, it takes no longer than agreed.

    Redirects are not followed, and of the answer nothing but its status is read.

    Returns:
        What went wrong; nothing if it was taken.
    """
    said = ["no answer in time"]
    thread = threading.Thread(target=_post, args=(url, alarm, said), daemon=True)
    thread.start()
    thread.join(WEBHOOK_SECONDS_MAX)
    return said[-1]


def _post(url: str, alarm: Alarm, said: list[str]) -> None:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"linernote/{__version__}",
    }
    data = (alarm.line() + "\n").encode()
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
    ):
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(url, data, headers)  # noqa: S310 (check_webhook)
        with opener.open(request, timeout=WEBHOOK_SECONDS_MAX) as answer:
            status = answer.status
    except Exception as error:  # noqa: BLE001 (an alarm never fails by its webhook)
        said.append(str(error) or type(error).__name__)
    else:
        said.append("" if status in range(200, 300) else f"answered {status}")
