"""A real server that takes events: many clients, hard ends, bodies that mean harm."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ledger.entry.sign import SignedEvent
from ledger.errors import HomeError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.log import Appended
from ledger.remote import Client
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import parse_vkey
from ledger.tlog.policy import parse_policy
from ledger.tlog.policy import verify_proof_by_policy
from ledger.tlog.proof import parse_proof
from ledger.wire import Request
from ledger.wire import format_request
from ledger.witness.cosigning import Witness
from ledger.witness.folder import add_log
from ledger.witness.folder import found_witness
from tests.cli.conftest import Town
from tests.intake.places import SECONDS
from tests.intake.places import Speaker
from tests.intake.places import found
from tests.intake.places import serving
from tests.witness.servers import dead_port
from tests.witness.servers import serving as witnessing

KILLED = (str(Path(__file__).with_name("killed.py")),)


def place(client: Client, event: SignedEvent) -> Appended:
    said = client.append(Request([event]))[0].said
    assert isinstance(said, Appended), said
    return said


def test_many_clients_at_once(tmp_path: Path) -> None:
    """Each client's events stand in its order, all are published, all of it holds."""
    labs = [f"lab{number}" for number in range(6)]
    town = found(tmp_path, *labs)
    chains = [Speaker(town, name).versions(20) for name in labs]
    before = town.size
    with serving(town.home) as (server, url):

        def send(chain: list[SignedEvent]) -> list[int]:
            client = Client(url)
            singly = [place(client, each).index for each in chain[:10]]
            batch = client.append(Request(chain[10:], atomic=True))
            said = [each.said for each in batch]
            return singly + [each.index for each in said if isinstance(each, Appended)]

        with ThreadPoolExecutor(6) as pool:
            places = list(pool.map(send, chains))
        server.send_signal(signal.SIGTERM)
        assert server.wait(SECONDS) == 0
    assert all(each == sorted(each) for each in places)
    every = sorted(index for each in places for index in each)
    assert every == list(range(before, before + 120))
    assert json.loads(town.run("audit", "--json").out)["ok"]
    checkpoint = (town.home / "public" / "checkpoint").read_text(encoding="utf-8")
    assert checkpoint.splitlines()[1] == str(before + 120)


@pytest.fixture
def kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that, once there, has a server of `KILLED` die at its next answer."""
    path = tmp_path / "kill"
    monkeypatch.setenv("KILL_FILE", str(path))
    return path


def test_killed_between_commit_and_answer(town: Town, kill: Path) -> None:
    """The event is there, nobody was told; the same bytes get its first place."""
    event, size = Speaker(town, "lab").version(), town.size
    with serving(town.home, program=KILLED) as (server, url):
        kill.touch()
        with pytest.raises(UnverifiableError, match="http"):
            Client(url, pause=lambda _: None).append(Request([event]))
        assert server.wait(SECONDS) == -signal.SIGKILL
    assert not kill.exists()
    with serving(town.home) as (server, url):
        said = place(Client(url), event)
        assert (said.index, said.repeated) == (size, True)
        server.send_signal(signal.SIGTERM)
        assert server.wait(SECONDS) == 0
    assert town.size == size + 1
    assert town.run("audit").code == 0


def test_a_client_goes_on_when_the_server_is_back(town: Town, kill: Path) -> None:
    """One call of the client lives through a killed server, and adds one entry."""
    event, size = Speaker(town, "lab").version(), town.size
    with serving(town.home, program=KILLED) as (server, url):
        kill.touch()
        port = str(urlsplit(url).port)

        def back(_: float) -> None:
            server.wait(SECONDS)
            context = serving(town.home, "--port", port)
            contexts.append(context)
            context.__enter__()

        contexts: list[object] = []
        said = Client(url, pause=back).append(Request([event]))[0].said
        for context in contexts:
            context.__exit__(None, None, None)  # type: ignore[attr-defined]
    assert said == Appended(size, said.leaf_hash, repeated=True)  # type: ignore[union-attr]


def test_a_commit_of_unknown_fate_ends_the_server(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 to whoever waits, exit 8, and the home refuses until a restart."""
    fail = tmp_path / "fail"
    monkeypatch.setenv("FAIL_FILE", str(fail))
    event = Speaker(town, "lab").version()
    with serving(town.home, program=KILLED) as (server, url):
        fail.touch()
        answer, document = send(url, format_request(Request([event])))
        assert (answer.status, document["code"]) == (503, "commit-unknown")
        assert "safe to send again" in document["detail"]
        with pytest.raises(LedgerError) as refused:
            Client(url, pause=lambda _: None).append(Request([event]))
        assert isinstance(refused.value, (HomeError, UnverifiableError))
        assert server.wait(SECONDS) == 8
        assert "commit-unknown" in server.stderr.read() if server.stderr else ""
    assert town.run("append", "x.json", "--key", "lab").code != 0
    again = town.run("serve", "--accept-events", "--port", 0)
    assert (again.code, again.error) == (8, "home-poisoned")


def send(
    url: str, body: bytes, **headers: str
) -> tuple[http.client.HTTPResponse, dict[str, str]]:
    """Post a body; give the answer and its document."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    connection.request(
        "POST",
        "/v1/events",
        body,
        {"Content-Type": "application/json"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
    )
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    return answer, document


def test_it_alone_writes_while_it_serves(town: Town, tmp_path: Path) -> None:
    """Other commands that write are refused, those that read are not."""
    draft = tmp_path / "x.json"
    body = {"model": "m", "parents": [], "synthetic": [], "version": "x"}
    draft.write_text(json.dumps({"kind": "model.version", "body": body}))
    with serving(town.home) as (_, url):
        refused = town.run("append", draft, "--key", "lab")
        assert (refused.code, refused.error) == (8, "home-in-use")
        assert town.run("head").code == 0
        assert town.run("append", draft, "--key", "lab", "--to", url).code == 0
        second = town.run("serve", "--accept-events", "--port", 0)
        assert (second.code, second.error) == (8, "home-in-use")


def raw(url: str, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send bytes as they are; give what comes back."""
    parsed = urlsplit(url)
    received = b""
    with socket.create_connection((parsed.hostname, parsed.port), SECONDS) as line:
        for part in parts:
            line.sendall(part)
            time.sleep(pause)
        with suppress(ConnectionResetError):
            while more := line.recv(65_536):
                received += more
    return received


HEADERS = b"Host: x\r\nContent-Type: application/json\r\nConnection: close\r\n"


def test_bodies_too_large_are_refused_unread(town: Town) -> None:
    """What an address has no use for is refused by its length, as a problem."""
    with serving(town.home) as (_, url):
        for line, length in (
            (b"POST /v1/events", 17 << 20),
            (b"POST /entries", 1 << 20),
            (b"PUT /v1/manifests/" + b"0" * 64, 5 << 30),
        ):
            head = line + b" HTTP/1.1\r\n" + HEADERS
            answer = raw(url, head + b"Content-Length: %d\r\n\r\n" % length)
            assert answer.startswith(b"HTTP/1.1 413 "), answer
            assert b"application/problem+json" in answer
            assert b"too-large" in answer
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        head = b"POST /entries HTTP/1.1\r\n" + HEADERS
        # A length that nobody said beforehand: cut off as soon as it is too much.
        chunked = raw(url, head + b"Transfer-Encoding: chunked\r\n\r\n", chunk)
        assert chunked[:13] in {b"", b"HTTP/1.1 411 "}
        assert Client(url).head().head.seen


def test_what_is_no_http_is_refused(town: Town) -> None:
    """Broken requests are answered with 4xx, and the server goes on."""
    with serving(town.home) as (_, url):
        assert b" 400 " in raw(url, b"POST\r\n\r\n")
        head = b"POST /v1/events HTTP/1.1\r\n" + HEADERS
        assert b" 400 " in raw(url, head + b"Content-Length: x\r\n\r\n")
        assert b" 400 " in raw(url, head + b"Content-Length: 2\r\n\r\n{}")
        assert b" 400 " in raw(url, head + b"\r\n")
        packed = raw(
            url, head + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n\x1f"
        )
        assert b" 415 " in packed
        answer, _ = send(url, b"[" * 200_000)
        assert answer.status == 400
        assert Client(url).head().head.seen


def test_a_body_that_trickles_is_cut_off(town: Town, tmp_path: Path) -> None:
    """Whoever holds a connection with a byte now and then is refused in time."""
    program = tmp_path / "impatient.py"
    program.write_text(
        "import sys\nimport ledger.cli.bodies as bodies\n"
        "bodies.PATIENCE_SECONDS = 0.2\n"
        "from ledger.cli import main\nsys.exit(main())\n"
    )
    with serving(town.home, program=(str(program),)) as (_, url):
        head = b"POST /v1/events HTTP/1.1\r\n" + HEADERS + b"Content-Length: 99\r\n\r\n"
        answer = raw(url, head, b" ", pause=0.4)
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert b"too-slow" in answer
        # So does whoever sends a head like that, whether anything more comes or not.
        assert b"too-slow" in raw(url, b"GET / HTTP/1.1\r\nX: ", b"a", pause=0.1)
        # One that comes as fast as it may is waited for.
        event = Speaker(town, "lab").version()
        assert place(Client(url), event).repeated is False


def test_a_missing_log_key_is_told_at_the_start(town: Town) -> None:
    """Without the key that publishes, nothing is ever taken."""
    (town.home / "keys" / "log.key").rename(town.home / "keys" / "away.txt")
    done = town.run("serve", "--accept-events", "--port", 0)
    assert done.code in {3, 8}


def test_a_receipt_meets_the_policy(town: Town, tmp_path: Path) -> None:
    """Waiting brings the proof that the policy's witness cosigned; a dead one is late.

    Sequencing waits for neither: without `wait` the answer comes at once.
    """
    key = SigningKey(b"w" * 32)
    folder = tmp_path / "witness"
    found_witness(folder, "w.example", key.public)
    add_log(folder, parse_vkey(town.vkey))
    witness = Witness(folder, key)
    name = format_vkey(witness.vkey)
    speaker = Speaker(town, "lab")
    with witnessing(witness) as address, serving(town.home) as (_, url):
        client, policy = Client(url), town.home / "policy"
        lines = f"log {town.vkey}\nwitness w {name} {address}\nquorum w\n"
        policy.write_text(lines, encoding="utf-8")
        (answer,) = client.append(Request([speaker.version()], wait=True))
        assert answer.receipt is not None
        proof = parse_proof(answer.receipt)
        verified = verify_proof_by_policy(
            proof, proof.extra or b"", parse_policy(lines)
        )
        assert verified.witnesses == ("w",)
        policy.write_text(lines.replace(address, dead_port()), encoding="utf-8")
        begun = time.monotonic()
        assert place(client, speaker.version()).repeated is False
        assert time.monotonic() - begun < 5
