"""`linernote serve` and `demo`, as processes of their own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.conftest import Town

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


@contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a home on a free port; give the process and its address."""
    command = [sys.executable, "-m", "ledger", "serve", "--port", "0", *options]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "LINERNOTE_HOME": str(home)}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables)
    try:
        assert server.stderr is not None
        found = re.search(r"http://\S+", server.stderr.readline())
        assert found
        yield server, found[0]
    finally:
        server.kill()
        server.communicate(timeout=SECONDS)


def fetch(url: str) -> str:
    """Get what an address answers."""
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        return str(answer.read().decode())


def test_the_viewer_and_the_log_are_served(bare: Town) -> None:
    """Pages for people, the checkpoint for everyone, and new entries as they come."""
    with serving(bare.home) as (server, url):
        checkpoint = (bare.home / "public" / "checkpoint").read_text(encoding="utf-8")
        assert fetch(f"{url}/checkpoint") == checkpoint
        assert "<html" in fetch(f"{url}/")
        accredit = {"action": "grant", "party": bare.parties["operator"]}
        bare.say("accredit", {**accredit, "role": "auditor"}, "operator")
        assert fetch(f"{url}/checkpoint") != checkpoint
        server.send_signal(signal.SIGINT)
        assert server.wait(SECONDS) in {0, 130}


def test_the_viewer_gathers_nothing(bare: Town) -> None:
    """Lines and events that it would not take are refused before they are sent."""
    with serving(bare.home) as (_, url):
        host = url.removeprefix("http://")
        for method, path in (
            ("PUT", f"/v1/manifests/{'0' * 64}"),
            ("PUT", "/v1/manifests/x"),
            ("POST", "/v1/events"),
            ("POST", "/"),
        ):
            connection = http.client.HTTPConnection(host, timeout=SECONDS)
            connection.putrequest(method, path)
            connection.putheader("Content-Length", str(1 << 20))
            connection.endheaders()
            answer = connection.getresponse()
            assert answer.status in {403, 413}
            assert json.loads(answer.read())["code"] in {"not-accepting", "too-large"}
            connection.close()
        assert "<html" in fetch(f"{url}/")


def test_a_port_that_is_taken_is_told(bare: Town) -> None:
    """A busy port exits 8, and says how to take another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = bare.run("serve", "--port", port)
    assert (done.code, done.error) == (8, "port-in-use")
    assert str(port) in done.err
    assert "--port" in done.err


def test_a_demonstration_that_cannot_be_served_makes_nothing(run: Run) -> None:
    """A busy port is told before the home of who serves there is replaced."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("demo", "--port", taken.getsockname()[1])
    assert (done.code, done.error) == (8, "port-in-use")
    assert list(Path().iterdir()) == []


def test_an_address_of_another_machine_is_told(bare: Town) -> None:
    """What this machine cannot listen on exits 8."""
    for host in ("192.0.2.1", "no such host"):
        done = bare.run("serve", "--host", host, "--port", 0)
        assert (done.code, done.error) == (8, "bad-address")


def test_the_demonstration_ends_verified(run: Run) -> None:
    """`demo --no-serve` builds a log that passes its audit and tells what to try."""
    done = run("demo", "--no-serve")
    assert done.code == 0, done
    assert "verified" in done.out
    assert run("audit").code == 0
    assert run("demo", "--no-serve").code == 0  # it replaces its own


def test_the_demonstration_leaves_other_homes_alone(bare: Town) -> None:
    """A home that no demonstration made is refused (exit 6)."""
    vkey = bare.vkey
    done = bare.run("demo", "--no-serve")
    assert done.code == 6
    assert bare.vkey == vkey


def test_the_demonstration_takes_files_and_terms(run: Run) -> None:
    """Own files need each other, and their options need them."""
    header = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
    rows = "".join(
        f"track_{n:07}\tartist_1\talbum_1\tx\t61.5\tcalm\n" for n in range(3)
    )
    Path("catalogue.tsv").write_text(header + rows, encoding="utf-8")
    files = ("--catalogue", "catalogue.tsv", "--dataset", "catalogue.tsv")
    terms = ("--fee", "300.00", "--basis", "duration")
    done = run("demo", *files, *terms, "--no-serve")
    assert done.code == 0, done
    assert run("demo", "--no-serve", "--fee", "1.00").code == 2
    assert run("demo", "--no-serve", "--dataset", "x").code == 2
    done = run("demo", *files, "--fee", "1,000", "--no-serve")
    assert (done.code, done.error) == (3, "bad-amount")
