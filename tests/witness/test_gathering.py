"""Our log asks witnesses over HTTP: good ones, late ones, dead ones, hostile ones."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.tlog.cosignature import cosign
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.policy import Policy
from ledger.tlog.policy import check_policy
from ledger.tlog.policy import parse_policy
from ledger.tlog.witness_messages import format_answer
from ledger.witness.cosigning import Witness
from ledger.witnessing import Gathered
from ledger.witnessing import gather
from tests.witness.certificate import CERTIFICATE
from tests.witness.certificate import KEY
from tests.witness.logs import NOW_S
from tests.witness.logs import GrowingLog
from tests.witness.logs import make_witness
from tests.witness.servers import Behaviour
from tests.witness.servers import answering
from tests.witness.servers import behaving
from tests.witness.servers import dead_port
from tests.witness.servers import serving

LOG = GrowingLog()
HOSTILE = SigningKey(b"h" * 32)
SECONDS = 5.0


def line_of(name: str, vkey: object, url: str) -> str:
    return f"witness {name} {vkey} {url}\n"


def hostile_policy(url: str) -> Policy:
    """Name one witness, whose key is known and whose address is given."""
    vkey = format_vkey(make_vkey("h.example", HOSTILE.public, 4))
    text = f"log {format_vkey(LOG.vkey)}\n{line_of('h', vkey, url)}quorum h\n"
    return parse_policy(text)


def ask(policy: Policy, size: int, seconds: float = SECONDS) -> Gathered:
    return gather(
        policy, LOG.checkpoint(size), lambda old: LOG.prove(old, size), seconds=seconds
    )


def code_of(behaviour: Behaviour, seconds: float = SECONDS) -> str:
    """Ask what behaves so; nothing of what it says may be merged."""
    with behaving(behaviour) as url:
        gathered = ask(hostile_policy(url), 7, seconds)
    assert gathered.text == LOG.checkpoint(7)
    return gathered.outcomes["h"].code


@pytest.fixture
def witnesses(tmp_path: Path) -> list[Witness]:
    return [
        make_witness(tmp_path / f"witness-{number}", LOG, number=number)
        for number in (1, 2, 3)
    ]


def policy_of(witnesses: Sequence[Witness], urls: Sequence[str]) -> Policy:
    """Name these witnesses, and ask for two."""
    lines = [f"log {format_vkey(LOG.vkey)}\n"]
    for number, (witness, url) in enumerate(zip(witnesses, urls, strict=True)):
        lines.append(line_of(f"n{number}", format_vkey(witness.vkey), url))
    names = " ".join(f"n{number}" for number in range(len(urls)))
    return parse_policy("".join([*lines, f"group g 2 {names}\nquorum g\n"]))


def test_all_who_can_cosign_do(witnesses: list[Witness]) -> None:
    """Three witnesses, size after size: the note bears all of them each time."""
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(each)) for each in witnesses]
        policy = policy_of(witnesses, urls)
        for size in (1, 2, 2, 300):
            gathered = ask(policy, size)
            assert {each.code for each in gathered.outcomes.values()} == {"cosigned"}
            assert {each.size for each in gathered.outcomes.values()} == {size}
            assert {each.time_s for each in gathered.outcomes.values()} == {NOW_S}
            vkeys = [LOG.vkey, *(each.vkey for each in witnesses)]
            assert len(open_note(gathered.text, vkeys).verified) == 4
            assert parse_note(gathered.text).signatures[0].name == LOG.origin


def test_a_dead_one_and_a_stale_one_do_not_keep_the_others(
    witnesses: list[Witness],
) -> None:
    """One is not there, one saw another size: two cosign, and the policy is met."""
    witnesses[1].add_checkpoint(LOG.request(0, 5))
    with serving(witnesses[0]) as good, serving(witnesses[1]) as stale:
        policy = policy_of(witnesses, [good, stale, dead_port()])
        gathered = ask(policy, 9)
    codes = [each.code for each in gathered.outcomes.values()]
    assert codes == ["cosigned", "cosigned", "no-answer"]
    assert check_policy(policy, gathered.text).witnesses == ("n0", "n1")


def test_a_known_size_saves_the_second_question(witnesses: list[Witness]) -> None:
    """Who remembers what a witness had asks once, with the proof from there."""
    witnesses[0].add_checkpoint(LOG.request(0, 5))
    asked = []

    def prove(old: int) -> Sequence[bytes]:
        asked.append(old)
        return LOG.prove(old, 9)

    with serving(witnesses[0]) as url:
        policy = one(witnesses, url)
        gather(policy, LOG.checkpoint(9), prove, known={"n0": 5})
        assert asked == [5]
        gather(policy, LOG.checkpoint(9), prove, known={"n0": 12})
    assert asked == [5, 9]


def one(witnesses: Sequence[Witness], url: str) -> Policy:
    """Name the first witness alone."""
    vkey = format_vkey(witnesses[0].vkey)
    return parse_policy(f"{line_of('n0', vkey, url)}quorum n0\n")


def test_a_witness_that_saw_more_of_us_is_told(witnesses: list[Witness]) -> None:
    """A log that was rolled back learns it from the witness, with the size."""
    witnesses[0].add_checkpoint(LOG.request(0, 12))
    with serving(witnesses[0]) as url:
        gathered = ask(one(witnesses, url), 9)
    outcome = gathered.outcomes["n0"]
    assert (outcome.code, outcome.size) == ("witness-ahead", 12)
    assert gathered.text == LOG.checkpoint(9)


def test_a_log_that_forked_gets_nothing(witnesses: list[Witness]) -> None:
    """The witness refuses the other history, and the outcome says so."""
    witnesses[0].add_checkpoint(LOG.request(0, 5))
    fork = GrowingLog("other", 4)
    with serving(witnesses[0]) as url:
        gathered = gather(
            one(witnesses, url), fork.checkpoint(9), lambda old: fork.prove(old, 9)
        )
    outcome = gathered.outcomes["n0"]
    assert (outcome.code, outcome.size) == ("witness-differs", 5)
    assert "422" in outcome.message


def test_two_who_ask_for_forks_at_once_get_one_history(
    witnesses: list[Witness],
) -> None:
    """Over HTTP, of eight histories posted together one is cosigned, no other."""
    histories = [GrowingLog(f"word {number}", 3) for number in range(8)]
    codes = []
    with serving(witnesses[0]) as url:
        policy = one(witnesses, url)

        def post(log: GrowingLog) -> None:
            gathered = gather(policy, log.checkpoint(9), lambda old: log.prove(old, 9))
            codes.append(gathered.outcomes["n0"].code)

        threads = [threading.Thread(target=post, args=(log,)) for log in histories]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(codes) == ["cosigned", *["witness-differs"] * 7]


def test_cosignatures_that_do_not_hold_are_not_merged() -> None:
    """Of another text, of another key, of no time, or none: each is told apart."""
    text, other = (parse_note(LOG.checkpoint(size)).text for size in (7, 8))
    forged = format_answer([cosign(other, "h.example", HOSTILE, NOW_S)])
    stranger = SigningKey(b"x" * 32)
    strange = format_answer([cosign(text, "h.example", stranger, NOW_S)])
    assert code_of(answering("200 OK", forged)) == "bad-signature"
    assert code_of(answering("200 OK", strange)) == "not-signed"
    assert code_of(answering("200 OK", b"")) == "bad-witness-message"
    assert code_of(answering("200 OK", b"\xff\n")) == "bad-witness-message"
    assert code_of(answering("200 OK", "— h.example AAAA\n".encode())) == "bad-note"


def test_a_good_cosignature_among_strangers_is_taken_alone() -> None:
    """Lines by unknown keys are left out of what is published."""
    text = parse_note(LOG.checkpoint(7)).text
    good = cosign(text, "h.example", HOSTILE, NOW_S)
    older = cosign(text, "h.example", HOSTILE, NOW_S - 9)
    stranger = cosign(text, "x.example", SigningKey(b"x" * 32), NOW_S)
    body = format_answer([stranger, older, good])
    with behaving(answering("200 OK", body)) as url:
        gathered = ask(hostile_policy(url), 7)
    assert gathered.outcomes["h"].code == "cosigned"
    signatures = parse_note(gathered.text).signatures
    assert signatures[1:] == (good,)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 P"])
def test_redirects_are_not_followed(status: str) -> None:
    """Wherever it points, nobody goes there."""
    visited = threading.Event()

    def note_visit(connection: socket.socket) -> None:
        visited.set()
        answering("200 OK", b"")(connection)

    with behaving(note_visit) as elsewhere:
        to = f"Location: {elsewhere}/add-checkpoint"
        assert code_of(answering(status, b"", to)) == "redirected"
    assert not visited.is_set()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        ("404 Not Found", b"who?", "refused"),
        ("500 Oops", b"\x1b[2J", "refused"),
        ("204 No Content", b"", "refused"),
        ("409 Conflict", b"007\n", "bad-decimal"),
        ("409 Conflict", b"7", "bad-witness-message"),
        ("409 Conflict", b"9223372036854775808\n", "bad-decimal"),
        ("409 Conflict", b"8\n", "witness-ahead"),
        ("409 Conflict", b"3\n", "stale-size"),
    ],
)
def test_other_answers_are_outcomes(status: str, body: bytes, code: str) -> None:
    """What is no cosignature is told by a code, in words that act on no terminal."""
    assert code_of(answering(status, body)) == code


def test_a_huge_body_is_not_read() -> None:
    """Whether it says its length or not, no more than the bound is taken."""
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(1 << 16))
            sent.append(1 << 16)

    assert code_of(flood) == "answer-too-large"
    assert sum(sent) < 1 << 24
    endless = answering("200 OK", bytes(1 << 17))
    assert code_of(endless) == "answer-too-large"


@pytest.mark.parametrize("drip", [b"", b"x", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_slow_ones_are_waited_for_no_longer_than_said(drip: bytes) -> None:
    """Silent or a byte at a time, it ends when the seconds are over, threads too."""

    def linger(connection: socket.socket) -> None:
        while True:
            time.sleep(0.05)
            connection.sendall(drip)

    started = time.monotonic()
    assert code_of(linger, seconds=0.5) == "timeout"
    assert time.monotonic() - started < 2.0
    check_threads_end()


def check_threads_end() -> None:
    """Wait until no thread asks any more, before the witness would have ended."""
    until = time.monotonic() + SECONDS
    while any(each.name == "asking h" for each in threading.enumerate()):
        assert time.monotonic() < until, threading.enumerate()
        time.sleep(0.01)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 999,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["nothing", "ssh", "half", "headers", "chunks", "length"],
)
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    """A connection that breaks off or speaks something else harms nobody."""

    def say(connection: socket.socket) -> None:
        connection.sendall(said)

    assert code_of(say) in {"no-answer", "bad-witness-message"}


@pytest.fixture
def server_context(tmp_path: Path) -> ssl.SSLContext:
    chain = tmp_path / "chain.pem"
    chain.write_text(KEY + CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def test_over_https_the_certificate_counts(
    server_context: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that nobody vouches for is no answer; one that is trusted, is."""
    good = cosign(parse_note(LOG.checkpoint(7)).text, "h.example", HOSTILE, NOW_S)
    say = answering("200 OK", format_answer([good]))
    with behaving(say, server_context) as url:
        outcome = ask(hostile_policy(url), 7).outcomes["h"]
        assert outcome.code == "no-answer"
        assert "certificate" in outcome.message.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "chain.pem"))
        assert ask(hostile_policy(url), 7).outcomes["h"].code == "cosigned"


def test_a_slow_one_over_https_is_hung_up_on(
    server_context: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte at a time through TLS keeps no thread either."""

    def linger(connection: socket.socket) -> None:
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "chain.pem"))
    with behaving(linger, server_context) as url:
        outcome = ask(hostile_policy(url), 7, 0.5).outcomes["h"]
        assert outcome.code == "timeout"
        check_threads_end()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://w.example",
        "file:///etc/passwd",
        "http://",
        "http://a:b@w.example",
        "http://w.example?x=1",
        "http://w.example:99999",
        "http://[::1",
        "w.example",
    ],
)
def test_addresses_that_are_none_are_told(url: str) -> None:
    """Only http and https to a host, without anything that would be lost."""
    assert ask(hostile_policy(url), 7).outcomes["h"].code == "bad-witness-url"


def test_a_name_that_nobody_has_is_no_answer() -> None:
    """A host that does not resolve, or cannot be written, is an outcome."""
    for host in ("nobody.invalid", "a..b", "x" * 300):
        gathered = ask(hostile_policy(f"http://{host}"), 7)
        assert gathered.outcomes["h"].code in {"no-answer", "timeout"}


def test_the_slowest_does_not_add_up(witnesses: list[Witness]) -> None:
    """All are asked at once: good ones are merged though one says nothing."""

    def wait(connection: socket.socket) -> None:
        time.sleep(SECONDS)

    with ExitStack() as stack:
        urls = [stack.enter_context(behaving(wait))]
        urls += [stack.enter_context(serving(each)) for each in witnesses[1:]]
        started = time.monotonic()
        gathered = ask(policy_of(witnesses, urls), 9, seconds=1.0)
        assert time.monotonic() - started < 3.0
    codes = [each.code for each in gathered.outcomes.values()]
    assert codes == ["timeout", "cosigned", "cosigned"]


def test_a_witness_without_an_address_is_not_asked() -> None:
    """Somebody else gathers from it; it has no outcome."""
    vkey = format_vkey(make_vkey("h.example", HOSTILE.public, 4))
    policy = parse_policy(f"witness h {vkey}\nquorum h\n")
    assert ask(policy, 7).outcomes == {}
