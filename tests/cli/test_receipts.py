"""`linernote append --wait`: a receipt, or a word before anything is stored."""

from __future__ import annotations

import pytest

from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from tests.cli.conftest import ORIGIN
from tests.cli.conftest import Town
from tests.cli.test_appending import TARIFF
from tests.cli.test_appending import event


@pytest.mark.parametrize(
    ("policy", "code", "said"),
    [
        (b"log x\nquorum none\n", "bad-vkey", "policy: line 1 of the policy"),
        (b"# \xe9\n\nquorum w\n", "bad-policy", "policy: line 3 of the policy"),
        (b"quorum none\n", "no-log-in-policy", "log VKEY"),
        (b"log OTHER\nquorum none\n", "not-signed", "believes no key of this log"),
        (b"log SAME\nquorum none\n", "not-signed", "believes no key of this log"),
    ],
)
def test_a_policy_that_brings_no_receipt_stops_before_anything_is_stored(
    staffed: Town, policy: bytes, code: str, said: str
) -> None:
    """With --wait a mistake is told first; mended, the file's octets may be any."""
    size, path = staffed.size, staffed.home / "policy"
    stranger = SigningKey(bytes(32)).public
    for word, origin in ((b"OTHER", "other.example"), (b"SAME", ORIGIN)):
        vkey = format_vkey(make_vkey(origin, stranger)).encode()
        policy = policy.replace(word, vkey)
    path.write_bytes(policy)
    append = ("append", "-", "--key", "society", "--wait")
    done = staffed.run(*append, input=event("tariff", TARIFF))
    assert (done.error, staffed.size) == (code, size)
    assert said in done.err
    path.write_bytes(f"# \xe9\nlog {staffed.vkey}\nquorum none\n".encode("latin-1"))
    told = staffed.must(*append, input=event("tariff", TARIFF))
    assert "receipt" in told["answers"][0]
