"""The text of policies: what is read, what is refused, and in which line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.policy_text import LINES_MAX
from ledger.tlog.policy_text import Group
from ledger.tlog.policy_text import LogKey
from ledger.tlog.policy_text import Witness
from ledger.tlog.policy_text import parse_policy
from ledger.tlog.text import format_base64
from tests.tlog.witnesses import LOG
from tests.tlog.witnesses import key_of
from tests.tlog.witnesses import policy_of
from tests.tlog.witnesses import vkey_of

VKEY = format_vkey(LOG)
W = format_vkey(vkey_of("w"))
V = format_vkey(vkey_of("v"))
ML_DSA = f"w.example+00000000+{format_base64(bytes([6]) + bytes(1312))}"
SMALL = f"w.example+00000000+{format_base64(bytes([4]) + bytes(32))}"


def refusal(text: str | bytes) -> tuple[str, str]:
    """Code and message with which a policy is refused."""
    with pytest.raises(LedgerError) as caught:
        parse_policy(text)
    return caught.value.code, caught.value.message


def test_every_line_and_its_parts() -> None:
    """Logs, witnesses and groups in their order, URLs as written."""
    policy = parse_policy(
        f"log {VKEY} https://example.com/log/\n"
        f"witness w {W} https://w.example\n"
        f"witness v {V}\n"
        "group any-of any w\ngroup all-of all any-of v\nquorum all-of\n"
    )
    assert policy.logs == (LogKey(LOG, "https://example.com/log/"),)
    assert policy.witnesses == (
        Witness("w", vkey_of("w"), "https://w.example"),
        Witness("v", vkey_of("v"), None),
    )
    assert policy.groups == (
        Group("any-of", 1, ("w",)),
        Group("all-of", 2, ("any-of", "v")),
    )
    assert policy.quorum == "all-of"


def test_spaces_comments_and_empty_lines_mean_nothing() -> None:
    """Tabs and spaces in any number; a comment is a whole line."""
    plain = parse_policy(f"witness w {W}\nquorum w\n")
    spaced = f"\n \t\n# quorum none\n \t# é\n\twitness \t w  {W} \t\n quorum\tw\n"
    assert parse_policy(spaced) == plain


def test_a_quorum_of_none_asks_for_no_witness() -> None:
    """And is a word apart: neither a witness nor a group may be called so."""
    assert parse_policy("quorum none\n").quorum is None
    for line in (f"witness none {W}", f"witness w {W}\ngroup none any w"):
        assert "the name 'none' is taken" in refusal(f"{line}\nquorum none\n")[1]
    code, message = refusal(f"witness w {W}\ngroup g any w none\nquorum g\n")
    assert (code, "no line above defines 'none'" in message) == ("bad-policy", True)


def test_names_are_octets() -> None:
    """Names that are not UTF-8, look alike or hold spaces of Unicode are themselves."""
    kelvin = f"witness \u212a {W}\nwitness K {V}\nquorum \u212a\n".encode()
    policy = parse_policy(kelvin)
    assert [each.name for each in policy.witnesses] == ["\u212a", "K"]
    assert policy == parse_policy(kelvin.decode())
    latin = parse_policy(
        f"# d\xe9j\xe0\nwitness \xe9 {W}\nquorum \xe9\n".encode("latin1")
    )
    assert latin.quorum == latin.witnesses[0].name
    odd = parse_policy(f"witness a\u00a0b\u2028c\x85 {W}\nquorum a\u00a0b\u2028c\x85\n")
    assert odd.witnesses[0].name == "a\u00a0b\u2028c\x85"


def test_names_may_be_words_and_numbers() -> None:
    """Their place alone tells what they are."""
    policy = parse_policy(
        f"witness any {W}\nwitness 2 {V}\ngroup all 2 any 2\nquorum all\n"
    )
    assert policy.groups == (Group("all", 2, ("any", "2")),)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("logs x", "none of its lines"),
        ("log", "none of its lines"),
        (f"LOG {VKEY}", "none of its lines"),
        (f"log {VKEY} url more", "none of its lines"),
        ("witness w", "none of its lines"),
        (f"witness w {W} url more", "none of its lines"),
        ("group g", "none of its lines"),
        ("group g any", "none of its lines"),
        ("quorum", "none of its lines"),
        ("quorum none none", "none of its lines"),
        ("quorum none # all of them", "none of its lines"),
        (f"log\u00a0{VKEY}", "none of its lines"),
        (f"log {VKEY}\r", "control characters"),
        (f"log {VKEY}\x0c", "control characters"),
        ("# \x00", "control characters"),
        ("# \x7f", "control characters"),
        ("quorum nobody", "no line above defines 'nobody'"),
        ("group g any a below", "no line above defines 'below'"),
        ("group g any a g", "no line above defines 'g'"),
        ("group g any a a", "'a' is a member already"),
        ("group g any a used", "'used' is a member already"),
        ("group first any a", "the name 'first' is taken"),
        ("group a any b", "the name 'a' is taken"),
        (f"witness a {W}", "the name 'a' is taken"),
        (f"witness first {W}", "the name 'first' is taken"),
        ("group g 0 a b", "0 of 2 members"),
        ("group g 3 a b", "3 of 2 members"),
    ],
)
def test_what_a_policy_may_not_say(line: str, words: str) -> None:
    """Each refusal says what is wrong, and names the line."""
    above = policy_of("group first any used", witnesses="abu")
    above = above.replace("witness u ", "witness used ")
    below = f"witness below {V}\nquorum none\n"
    assert parse_policy(above + below).quorum is None
    code, message = refusal(f"{above}{line}\n{below}")
    assert code == "bad-policy"
    assert words in message
    assert message.startswith("line 6 of the policy: ")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("log nonsense", "bad-vkey"),
        (f"log {W}", "bad-vkey"),
        (f"log {VKEY.replace('example', 'example2')}", "bad-vkey"),
        (f"witness w {VKEY}", "bad-vkey"),
        (f"witness w {ML_DSA}", "bad-vkey"),
        (f"witness w {W[:-2]}", "bad-base64"),
        (f"witness w {W.replace('+', '+0', 1)}", "bad-hex"),
        (f"witness w {W.replace('w.example', '')}", "bad-key-name"),
        (f"witness w {SMALL}", "bad-public-key"),
        ("group g +1 a", "bad-decimal"),
        ("group g 01 a", "bad-decimal"),
        ("group g most a", "bad-decimal"),
        ("group g ANY a", "bad-decimal"),
        ("group g -1 a", "bad-decimal"),
        ("group g \u0661 a", "bad-decimal"),
    ],
)
def test_keys_and_numbers_keep_their_codes(line: str, code: str) -> None:
    """What is wrong with a key or number is said as everywhere, with the line."""
    found, message = refusal(policy_of(line, "quorum none", witnesses="a", logs=()))
    assert found == code
    assert message.startswith("line 2 of the policy: ")


def test_a_public_key_is_there_once() -> None:
    """The same key under another name would count twice."""
    renamed = format_vkey(make_vkey("w2.example", key_of("w").public, 0x04))
    both = f"witness w {W}\nwitness x {renamed}\nquorum none\n"
    assert refusal(both)[1].startswith("line 2 of the policy: witness key")
    again = format_vkey(make_vkey("other.example", LOG.public))
    assert refusal(f"log {VKEY}\nlog {again}\nquorum none\n")[0] == "bad-policy"
    # The types tell apart what a log and a witness sign.
    same = format_vkey(make_vkey("w.example", LOG.public, 0x04))
    assert parse_policy(f"log {VKEY}\nwitness w {same}\nquorum w\n").quorum == "w"


def test_there_is_exactly_one_quorum() -> None:
    """None or two are refused, the same line twice too."""
    for text in ("", "\n", "# quorum none\n", f"log {VKEY}\n"):
        assert refusal(text) == ("bad-policy", "the policy has no quorum line")
    code, message = refusal("quorum none\nquorum none\n")
    assert code == "bad-policy"
    assert message == "line 2 of the policy: it has a quorum line already"


def test_the_quorum_may_stand_before_other_lines() -> None:
    """What it refers to is above it; what is below just is not asked for."""
    policy = parse_policy(f"witness w {W}\nquorum w\nwitness v {V}\nlog {VKEY}\n")
    assert (policy.quorum, len(policy.witnesses), len(policy.logs)) == ("w", 2, 1)


def test_the_last_line_ends_too() -> None:
    """A policy cut off in the middle of a line is not taken for a whole one."""
    code, message = refusal("\nquorum none")
    assert (code, message) == (
        "bad-policy",
        "line 2 of the policy does not end with a newline",
    )


def test_there_are_bounds() -> None:
    """Comments count as well; 32 of each, which all must accept, are far below."""
    assert parse_policy("#\n" * (LINES_MAX - 1) + "quorum none\n").quorum is None
    assert refusal("#\n" * LINES_MAX + "quorum none\n")[0] == "bad-policy"


@given(st.text(alphabet="logwitnes gruporumnane1 \t\n#+", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but FormatError comes of a text, whatever it is."""
    try:
        policy = parse_policy(text)
    except FormatError:
        return
    assert policy.quorum is None
    assert "quorum" in text
