"""`linernote monitor` and `linernote mirror`, as they are typed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.cli import following
from ledger.cli import main
from ledger.monitor import alarm as alarms
from ledger.monitor import default_folder
from ledger.monitor import monitor as monitoring
from ledger.tlog.note import format_vkey
from tests.following.conftest import Server
from tests.following.served import VKEY
from tests.following.served import Served
from tests.replay import acts
from tests.replay.making import ORIGIN

VKEY_TEXT = format_vkey(VKEY)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    served = Served(tmp_path / "log")
    served.publish()
    return served


@pytest.fixture
def server(log: Served, serve: Callable[[Path], Server]) -> Server:
    return serve(log.public)


def monitor(server: Server, *options: str) -> int:
    return main(["monitor", server.url, "--vkey", VKEY_TEXT, *options])


def test_once_verifies_and_ends(
    server: Server, log: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0, a line for people, and what was verified under the state home."""
    assert monitor(server, "--once") == 0
    said = capsys.readouterr().out
    assert said == (
        f"verified: {ORIGIN} has {log.size} entries, {log.size} of them new\n"
    )
    state = Path(str(log.public.parents[1] / "state"))
    folder = default_folder(ORIGIN, {"XDG_STATE_HOME": str(state)})
    assert (folder / "ledger.db").exists()
    assert monitor(server, "--once", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "ok": True,
        "checkpoint": {
            "origin": ORIGIN,
            "size": log.size,
            "root": log.checkpoint.splitlines()[2],
        },
        "size": log.size,
        "new_entries": 0,
        "alarms": [],
        "more": 0,
        "error": None,
    }


def test_an_alarm_is_exit_code_4_and_a_line(
    server: Server, log: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For programs on standard output, for people too, and in the state folder."""
    state = tmp_path / "mine"
    log.world.force(log.world.guest, "scheme", acts.scheme_body())
    log.publish()
    assert monitor(server, "--state", str(state), "--once", "--json") == 4
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert document["ok"] is False
    (alarm,) = document["alarms"]
    assert alarm["alarm"] == "invalid-entry"
    assert alarm["index"] == log.size - 1
    assert json.loads((state / "alarms.ndjson").read_text()) == alarm
    old = log.checkpoint
    log.say(1)
    log.publish()
    assert monitor(server, "--state", str(state), "--once") == 0
    log.checkpoint = old
    assert monitor(server, "--state", str(state), "--once") == 4
    assert "ALARM rolled-back: the log shows" in capsys.readouterr().out


def test_of_many_alarms_the_rest_is_counted(
    server: Server,
    log: Served,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For people and programs, so that no log floods who looks at it."""
    monkeypatch.setattr(monitoring, "ALARMS_MAX", 2)
    for _ in range(5):
        log.world.force(log.world.guest, "scheme", acts.scheme_body())
    log.publish()
    assert monitor(server, "--once", "--json", "--state", "one") == 4
    document = json.loads(capsys.readouterr().out)
    assert (len(document["alarms"]), document["more"]) == (3, 2)
    assert monitor(server, "--once", "--state", "two") == 4
    said = capsys.readouterr().out
    assert said.count("ALARM invalid-entry") == 3
    assert said.endswith("\nand 2 entries more that break rules\n")


def test_a_log_that_cannot_be_read_is_exit_code_5(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was verified, nothing is known to be wrong."""
    server.alter = lambda _path, _data: None
    assert monitor(server, "--once", "--json") == 5
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["error"]["code"]) == (False, "not-found")


def test_following_goes_on_until_there_is_an_alarm(
    server: Server,
    log: Served,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Looks come one after the other; a server that is away for a while is no alarm."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 10

    monkeypatch.setattr(following, "time", SimpleNamespace(sleep=wait))
    looks = 0

    def grow(path: str, data: bytes) -> bytes | None:
        nonlocal looks
        if path != "checkpoint":
            return data
        looks += 1
        if looks == 2:
            return None
        if looks == 3:
            log.say(2)
            log.publish()
        if looks == 5:
            return data.replace(b"\n\n", b"\nx\n\n")
        return log.checkpoint.encode()

    server.alter = grow
    assert monitor(server, "--every", "7.5", "--json") == 4
    assert waits == [7.5] * 4
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["new_entries"] for line in lines] == [log.size - 2, 0, 2, 0]
    assert lines[1]["error"]["code"] == "not-found"
    assert [alarm["code"] for alarm in lines[3]["alarms"]] == ["bad-signature"]


def test_a_log_that_is_away_is_told_of_once_and_when_it_is_back(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Five looks, the middle three at nothing: one line each for first, away, back."""
    looks = iter((True, False, False, False, True))

    def wait(_seconds: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    left = iter(range(4))
    monkeypatch.setattr(following, "time", SimpleNamespace(sleep=wait))
    server.alter = lambda path, data: (
        data if path != "checkpoint" or next(looks) else None
    )
    monitor(server, "--json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ok"] for line in lines] == [True, False, True]


class Hook(ThreadingHTTPServer):
    """Takes alarms, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.taken: list[tuple[str, Any]] = []
        self.status = 204
        self.delay_seconds = 0.0
        self.hurry = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/json"
        self.server.taken.append((self.path, json.loads(body)))
        self.server.hurry.wait(self.server.delay_seconds)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.taken.append((self.path, None))
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.hurry.set()
    server.shutdown()
    thread.join()
    server.server_close()


def spoil(log: Served) -> None:
    log.world.force(log.world.guest, "scheme", acts.scheme_body())
    log.publish()


def test_a_webhook_gets_each_alarm(
    server: Server, log: Served, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    """One POST of the alarm's own document for each, and nothing when all is well."""
    assert monitor(server, "--once", "--webhook", hook.url) == 0
    assert hook.taken == []
    log.world.force(log.world.guest, "scheme", acts.scheme_body())
    spoil(log)
    assert monitor(server, "--once", "--json", "--webhook", hook.url) == 4
    _, shown = capsys.readouterr().out.splitlines()
    assert hook.taken == [("/hook", alarm) for alarm in json.loads(shown)["alarms"]]
    assert len(hook.taken) == 2


@pytest.mark.parametrize("status", [302, 307, 308, 404, 500])
def test_a_webhook_leads_nowhere_and_fails_nothing(
    status: int,
    server: Server,
    log: Served,
    hook: Hook,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Redirects are not followed; what went wrong is said, the alarm stays one."""
    hook.status = status
    spoil(log)
    assert monitor(server, "--once", "--webhook", hook.url) == 4
    assert [path for path, _ in hook.taken] == ["/hook"]
    assert f"did not take the alarm: answered {status}" in capsys.readouterr().err


def test_a_webhook_that_hangs_holds_nothing_up(
    server: Server,
    log: Served,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A monitor waits so long and no longer; one that is away is said to be."""
    monkeypatch.setattr(alarms, "WEBHOOK_SECONDS_MAX", 0.2)
    hook.delay_seconds = 30.0
    spoil(log)
    start = time.monotonic()
    assert monitor(server, "--once", "--webhook", hook.url) == 4
    assert time.monotonic() - start < 10
    assert "did not take the alarm" in capsys.readouterr().err
    away = "http://127.0.0.1:1/"
    spoil(log)
    assert monitor(server, "--once", "--webhook", away) == 4
    assert "refused" in capsys.readouterr().err


def test_wrong_usage_is_said_before_anything_is_read(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whom to believe has to be said, once; a webhook has to be an address."""
    assert main(["monitor", server.url, "--once"]) == 2
    assert monitor(server, "--once", "--policy", "x") == 2
    assert monitor(server, "--once", "--webhook", "file:///etc/passwd") == 3
    assert monitor(server, "--once", "--every", "0") == 2
    assert server.asked == []
    assert "bad-url" in capsys.readouterr().err


def test_mirror_says_what_it_holds(
    server: Server, log: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence for people, a document for programs, exit code 4 for a fork."""
    copy = tmp_path / "copy"
    command = ["mirror", server.url, str(copy), "--vkey", VKEY_TEXT]
    assert main(command) == 0
    assert capsys.readouterr().out == (
        f"{copy} holds all {log.size} entries of {ORIGIN}, {log.size} of them new\n"
    )
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["old_size"] == document["size"] == log.size
    assert document["folder"] == str(copy)
    assert main(["mirror", str(copy), f"{copy}-2", "--vkey", VKEY_TEXT]) == 0
    old = log.checkpoint
    log.say(1)
    log.publish()
    assert main(command) == 0
    log.checkpoint = old
    capsys.readouterr()
    assert main(command) == 4
    assert "code: rolled-back" in capsys.readouterr().err
