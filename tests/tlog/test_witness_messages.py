"""What logs and witnesses say to each other: written, read, refused."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.checkpoint import sign_checkpoint
from ledger.tlog.note import Signature
from ledger.tlog.note import cosigned_message
from ledger.tlog.note import make_vkey
from ledger.tlog.text import format_base64
from ledger.tlog.witness_messages import ANSWER_BYTES_MAX
from ledger.tlog.witness_messages import REQUEST_BYTES_MAX
from ledger.tlog.witness_messages import SIZE_TYPE
from ledger.tlog.witness_messages import AddCheckpoint
from ledger.tlog.witness_messages import checkpoint_path
from ledger.tlog.witness_messages import format_answer
from ledger.tlog.witness_messages import format_request
from ledger.tlog.witness_messages import format_size
from ledger.tlog.witness_messages import open_answer
from ledger.tlog.witness_messages import parse_request
from ledger.tlog.witness_messages import parse_size
from tests.tlog.witnesses import LOG_KEY
from tests.tlog.witnesses import ORIGIN
from tests.tlog.witnesses import SIGNED
from tests.tlog.witnesses import TEXT
from tests.tlog.witnesses import by
from tests.tlog.witnesses import cosigned
from tests.tlog.witnesses import key_of
from tests.tlog.witnesses import vkey_of

LATE = sign_checkpoint(Checkpoint(ORIGIN, 2**63 - 1, bytes(32)), ORIGIN, LOG_KEY)
HASH = format_base64(sha256(b"a node").digest())
BODY = f"old 5\n{HASH}\n{HASH}\n\n{LATE}"
VKEYS = [vkey_of("a"), vkey_of("b")]


def code_of(function: Callable[..., object], *arguments: object) -> str | None:
    """The code with which something is refused, None if it is not."""
    try:
        function(*arguments)
    except LedgerError as error:
        return error.code
    return None


def test_a_request_is_an_old_size_a_proof_and_a_checkpoint() -> None:
    """As in the specification, line by line."""
    request = AddCheckpoint(5, (sha256(b"a node").digest(),) * 2, LATE)
    assert format_request(request) == BODY.encode()
    assert parse_request(BODY.encode()) == request
    first = AddCheckpoint(0, (), SIGNED)
    assert format_request(first) == f"old 0\n\n{SIGNED}".encode()
    assert parse_request(format_request(first)) == first


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
)
def test_requests_round_trip(old_size: int, proof: tuple[bytes, ...]) -> None:
    """Any size, any proof of at most 63 hashes."""
    request = AddCheckpoint(old_size, proof, LATE)
    assert parse_request(format_request(request)) == request


@given(st.text(alphabet="old 05\n=A+", max_size=50))
def test_a_request_has_one_spelling(head: str) -> None:
    """Whatever is read is written again to the very same bytes."""
    body = (head + BODY).encode()
    try:
        request = parse_request(body)
    except LedgerError:
        return
    assert format_request(request) == body


def test_the_checkpoint_stays_as_it_came() -> None:
    """With all its signatures, known or not."""
    note = cosigned("a", "b", signed=LATE)
    assert parse_request(f"old 0\n\n{note}".encode()).checkpoint == note


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "bad-witness-message"),
        ("old 0\n", "bad-witness-message"),
        (LATE, "bad-witness-message"),
        (f"old 0\n{LATE}", "bad-base64"),
        (BODY.replace("old", "new"), "bad-witness-message"),
        (BODY.replace("old 5\n", ""), "bad-witness-message"),
        (BODY.replace("old ", "old\t"), "bad-witness-message"),
        (BODY.replace("old 5", "old5"), "bad-witness-message"),
        (f"\n{BODY}", "bad-witness-message"),
        (BODY.replace("old 5", "old  5"), "bad-decimal"),
        (BODY.replace("old 5", "old 05"), "bad-decimal"),
        (BODY.replace("old 5", "old -5"), "bad-decimal"),
        (BODY.replace("old 5", "old "), "bad-decimal"),
        (BODY.replace("old 5", "old \u0665"), "bad-decimal"),
        (BODY.replace("old 5", f"old {2**63}"), "bad-decimal"),
        (f"old 2\n\n{SIGNED}", "bad-witness-message"),
        (BODY.replace(HASH, HASH[:-1], 1), "bad-base64"),
        (BODY.replace(HASH, f"{HASH} ", 1), "bad-base64"),
        (BODY.replace(HASH, format_base64(bytes(31)), 1), "bad-base64"),
        (BODY.replace(f"{HASH}\n", f"{HASH}\n" * 63, 1), "bad-witness-message"),
        (BODY.replace("\n\n", "\n\n\n", 1), "bad-checkpoint"),
        (BODY.replace("\n", "\r\n"), "bad-witness-message"),
        (BODY[:-1], "bad-note"),
        (f"old 0\n\n{TEXT}", "bad-note"),
    ],
)
def test_malformed_requests_are_refused(body: str, code: str) -> None:
    """Sizes, base64, the empty line, and a checkpoint that is one."""
    assert code_of(parse_request, body.encode()) == code


def test_as_many_hashes_as_a_tree_is_high() -> None:
    """63 are read; one more is refused, and never sent."""
    hashes = (bytes(32),) * 64
    assert code_of(format_request, AddCheckpoint(5, hashes[:63], LATE)) is None
    refused = code_of(format_request, AddCheckpoint(5, hashes, LATE))
    assert refused == "bad-witness-message"


def test_messages_are_bounded_and_utf_8() -> None:
    """Nothing is read further than anybody honest would write."""
    for size in (REQUEST_BYTES_MAX, REQUEST_BYTES_MAX + 1):
        long = BODY.encode().ljust(size, b"x")
        assert (code_of(parse_request, long) == "bad-witness-message") == (
            size > REQUEST_BYTES_MAX
        )
    assert code_of(parse_request, b"\xff" + BODY.encode()) == "bad-witness-message"
    large = format_answer([by("a")]).ljust(ANSWER_BYTES_MAX + 1, b"\n")
    assert code_of(open_answer, large, SIGNED, VKEYS) == "bad-witness-message"


def test_an_answer_is_verified() -> None:
    """Cosignatures by known keys, each once; lines by others mean nothing."""
    answer = format_answer([by("x"), by("a"), by("b"), by("a")])
    assert answer.decode().startswith("— x.example ")
    assert answer.count(b"\n") == 4
    assert open_answer(answer, SIGNED, VKEYS) == (by("a"), by("b"))
    assert open_answer(answer, cosigned("x"), VKEYS[1:]) == (by("b"),)


def test_an_answer_that_does_not_hold_is_refused() -> None:
    """Of another checkpoint, by nobody known, by a key of the wrong type."""
    answer = format_answer([by("a")])
    assert code_of(open_answer, answer, LATE, VKEYS) == "bad-signature"
    assert code_of(open_answer, answer, SIGNED, VKEYS[1:]) == "not-signed"
    assert code_of(open_answer, answer, SIGNED, []) == "not-signed"
    mixed = format_answer([by("b"), by("a", text=TEXT.replace("\n1\n", "\n2\n"))])
    assert code_of(open_answer, mixed, SIGNED, VKEYS) == "bad-signature"
    key = key_of("a")
    plain = make_vkey("a.example", key.public)
    bare = Signature(plain.name, plain.key_id, key.sign(TEXT.encode()))
    assert code_of(open_answer, format_answer([bare]), SIGNED, [plain]) == "bad-vkey"


def test_an_answer_bears_a_time() -> None:
    """The protocol forbids cosignatures without one, though the key signed it so."""
    vkey = vkey_of("a")
    data = bytes(8) + key_of("a").sign(cosigned_message(TEXT, 0))
    answer = format_answer([Signature(vkey.name, vkey.key_id, data)])
    assert code_of(open_answer, answer, SIGNED, VKEYS) == "bad-signature"


ANSWER = format_answer([by("a")])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad-witness-message"),
        (ANSWER[:-1], "bad-witness-message"),
        (ANSWER * 101, "bad-witness-message"),
        (ANSWER + b"\n", "bad-note"),
        (b"\n" + ANSWER, "bad-note"),
        (ANSWER.replace("— ".encode(), b"- "), "bad-note"),
        (ANSWER.replace(b"=\n", b"\n"), "bad-base64"),
    ],
)
def test_malformed_answers_are_refused(body: bytes, code: str) -> None:
    """Signature lines and nothing else, one to a hundred."""
    assert code_of(open_answer, body, SIGNED, VKEYS) == code


def test_nobody_is_no_answer() -> None:
    """A witness that does not cosign says so by its status."""
    assert code_of(format_answer, []) == "bad-witness-message"


@given(st.integers(0, 2**63 - 1))
def test_sizes_round_trip(size: int) -> None:
    """The answer 409: the size in decimal and a newline."""
    assert format_size(size) == f"{size}\n".encode()
    assert parse_size(format_size(size)) == size
    assert SIZE_TYPE == "text/x.tlog.size"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad-witness-message"),
        (b"5", "bad-witness-message"),
        (b"5" * 30 + b"\n", "bad-witness-message"),
        (b"\xff\n", "bad-witness-message"),
        (b"\n", "bad-decimal"),
        (b"5\n\n", "bad-decimal"),
        (b" 5\n", "bad-decimal"),
        (b"05\n", "bad-decimal"),
        (b"5\r\n", "bad-decimal"),
        (b"-1\n", "bad-decimal"),
        (b"9223372036854775808\n", "bad-decimal"),
    ],
)
def test_malformed_sizes_are_refused(body: bytes, code: str) -> None:
    """One canonical number, one newline."""
    assert code_of(parse_size, body) == code
    assert code_of(format_size, -1) == "bad-decimal"


def test_the_path_of_a_logs_checkpoint() -> None:
    """Lower-case hex of the origin's SHA-256, below the monitoring prefix."""
    digest = sha256(ORIGIN.encode()).hexdigest()
    assert checkpoint_path(ORIGIN) == f"{digest}/checkpoint"
