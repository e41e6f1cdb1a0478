"""A monitor of one log, as the tests of monitors use it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.monitor import Alarm
from ledger.monitor import Kept
from ledger.monitor import Look
from ledger.monitor import Monitor
from ledger.reader import open_source
from ledger.tlog.note import Vkey
from ledger.tlog.policy import Policy
from tests.following.served import VKEY
from tests.following.served import Served

if TYPE_CHECKING:
    from tests.following.conftest import Server


class Watch:
    """A monitor of one log, opened anew for each look, as by a timer."""

    def __init__(self, log: Served, server: Server, folder: Path) -> None:
        self.log = log
        self.server = server
        self.folder = folder
        self.trust: Sequence[Vkey] | Policy = [VKEY]
        self.stale_ms: int | None = None

    def look(self) -> Look:
        """Look once."""
        with Kept(self.folder) as kept:
            return self.follower(kept).look()

    def follower(self, kept: Kept) -> Monitor:
        """Make the monitor."""
        source = open_source(self.server.url)
        clock = self.log.world.clock
        return Monitor(source, self.trust, kept, clock, self.stale_ms)

    def calm(self) -> Look:
        """Look, and expect nothing wrong and nothing left out."""
        look = self.look()
        assert (look.alarms, look.missing) == ([], None)
        assert look.checkpoint is not None
        assert look.size == look.checkpoint.size
        return look

    def alarm(self) -> Alarm:
        """Look, and expect one alarm, which is written down."""
        (alarm,) = self.look().alarms
        lines = (self.folder / "alarms.ndjson").read_text("ascii").splitlines()
        assert json.loads(lines[-1]) == json.loads(json.dumps(alarm.to_json()))
        return alarm

    def evidence(self, alarm: Alarm) -> tuple[str, ...]:
        """Read the signed checkpoints that an alarm cites."""
        found = []
        for name in alarm.checkpoints:
            data = (self.folder / "checkpoints" / name).read_bytes()
            assert sha256(data).hexdigest() == name
            found.append(data.decode())
        return tuple(found)

    @property
    def note(self) -> str | None:
        """The checkpoint that is kept."""
        with Kept(self.folder) as kept:
            return kept.note
