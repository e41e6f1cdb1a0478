"""Signed notes and verifier keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import VerificationError
from ledger.tlog.ed25519 import SigningKey
from ledger.tlog.note import Note
from ledger.tlog.note import Signature
from ledger.tlog.note import Vkey
from ledger.tlog.note import check_key_name
from ledger.tlog.note import format_note
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from ledger.tlog.note import open_note
from ledger.tlog.note import parse_note
from ledger.tlog.note import parse_vkey
from ledger.tlog.note import sign_note
from ledger.tlog.text import format_base64

NAME = "example.com/log"
KEY = SigningKey(bytes(32))
VKEY = make_vkey(NAME, KEY.public)
STRANGER = SigningKey(bytes([1] * 32))
TEXT = "first\n\nthird\n"
NOTE = sign_note(TEXT, NAME, KEY)
LINE = NOTE.rpartition("\n\n")[2]

# The example of C2SP signed-note.
PUBLISHED_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLISHED_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj\
OBH3mFXmRKuwHjG1Yu72IneyaQM=
"""

names = st.from_regex(r"[a-z0-9./_-]{1,20}|[a-zäß\u4e00]{1,9}", fullmatch=True)
lines = st.text(
    st.characters(exclude_categories=["Cs"], min_codepoint=0x20), max_size=20
)
texts = st.lists(lines, min_size=1, max_size=5).map(
    lambda parts: "".join(f"{part}\n" for part in parts)
)
signatures = st.builds(
    Signature,
    name=names,
    key_id=st.binary(min_size=4, max_size=4),
    signature=st.binary(min_size=1, max_size=100),
)


def code_of(note: str, *vkeys: Vkey) -> str | None:
    """The code with which a note is refused, None if it opens."""
    try:
        open_note(note, vkeys or [VKEY])
    except LedgerError as error:
        return error.code
    return None


def stranger_lines(count: int) -> str:
    """Signature lines of keys that nobody knows."""
    return "".join(
        f"— witness{number}.example {format_base64(bytes([number] * 68))}\n"
        for number in range(count)
    )


def test_the_published_example() -> None:
    """The note and vkey of C2SP signed-note verify, and format back."""
    vkey = parse_vkey(PUBLISHED_VKEY)
    opened = open_note(PUBLISHED_NOTE, [vkey])
    assert opened.text == "This is an example message.\n"
    assert opened.verified == (vkey,)
    assert format_vkey(vkey) == PUBLISHED_VKEY
    assert format_note(parse_note(PUBLISHED_NOTE)) == PUBLISHED_NOTE


@given(texts, st.lists(signatures, min_size=1, max_size=20))
def test_notes_round_trip(text: str, signed: list[Signature]) -> None:
    """Any note of any signatures is read back as it was written."""
    note = Note(text, tuple(signed))
    assert parse_note(format_note(note)) == note


@given(texts, names)
def test_what_is_signed_opens(text: str, name: str) -> None:
    """Any text can be signed under any name."""
    vkey = make_vkey(name, KEY.public)
    opened = open_note(sign_note(text, name, KEY), [vkey])
    assert (opened.text, opened.verified, opened.unknown) == (text, (vkey,), ())


@given(st.text(alphabet="— aA=\n+\r\u2028", max_size=30))
def test_a_note_has_one_spelling(text: str) -> None:
    """Whatever is accepted as a note is formatted back to the very same text."""
    try:
        note = parse_note(text + LINE)
    except FormatError:
        return
    assert format_note(note) == text + LINE


def test_the_text_ends_at_the_last_empty_line() -> None:
    """Empty lines, and lines like signatures, may stand in the text itself."""
    for text in ("\n", "a\n\n", "\n\n\n", "a\n\n" + LINE, "a\n\n" + LINE + "\n"):
        assert open_note(sign_note(text, NAME, KEY), [VKEY]).text == text


def test_every_change_of_a_text_is_refused() -> None:
    """A text with one character changed, added or removed is not the signed one."""
    for at in range(len(TEXT)):
        for spoiled in (
            f"{TEXT[:at]}?{TEXT[at + 1 :]}",
            f"{TEXT[:at]}?{TEXT[at:]}",
            TEXT[:at] + TEXT[at + 1 :],
        ):
            assert code_of(f"{spoiled}\n{LINE}") in {"bad-signature", "bad-note"}


def test_unknown_signatures_are_kept_and_ignored() -> None:
    """Strangers before and after a known key change nothing."""
    opened = open_note(NOTE.replace(LINE, stranger_lines(1) + LINE + LINE), [VKEY])
    assert opened.verified == (VKEY,)
    assert opened.unknown == (Signature("witness0.example", bytes(4), bytes(64)),)


def test_a_known_key_that_fails_spoils_the_note() -> None:
    """One bad signature by a known key, though another key's and its own hold."""
    other = make_vkey("other.example", STRANGER.public)
    signed = sign_note(TEXT, other.name, STRANGER).rpartition("\n\n")[2]
    forged = format_note(
        Note(TEXT, (Signature(NAME, VKEY.key_id, STRANGER.sign(TEXT.encode())),))
    ).rpartition("\n\n")[2]
    assert code_of(NOTE + signed, VKEY, other) is None
    assert code_of(NOTE + forged, VKEY) == "bad-signature"
    assert code_of(NOTE.replace(LINE, forged) + signed, VKEY, other) == "bad-signature"
    short = format_base64(VKEY.key_id + bytes(63))
    assert code_of(f"{NOTE}— {NAME} {short}\n") == "bad-signature"


def test_same_name_or_id_alone_is_not_known() -> None:
    """A stranger who shares the name or the id, but not both, is ignored."""
    for name, key_id in ((NAME, b"\0\0\0\0"), ("other.example", VKEY.key_id)):
        line = f"— {name} {format_base64(key_id + bytes(64))}\n"
        assert code_of(NOTE + line) is None
        assert code_of(NOTE.replace(LINE, line)) == "not-signed"


def test_a_note_without_a_known_signature_is_refused() -> None:
    """Nothing is believed that no known key has signed."""
    assert code_of(NOTE, make_vkey(NAME, STRANGER.public)) == "not-signed"
    with pytest.raises(VerificationError):
        open_note(NOTE, [])


def test_many_signatures() -> None:
    """More than the 16 that all must accept, up to a bound of 100."""
    assert code_of(NOTE + stranger_lines(16)) is None
    assert code_of(NOTE.replace(LINE, stranger_lines(16) + LINE)) is None
    assert code_of(NOTE + stranger_lines(99)) is None
    assert code_of(NOTE + stranger_lines(100)) == "bad-note"


def test_several_keys_of_one_name_sign_together() -> None:
    """While a key is rotated, old and new sign: each is verified by itself."""
    both = sign_note(TEXT, NAME, KEY, STRANGER)
    vkeys = [make_vkey(NAME, key.public) for key in (KEY, STRANGER)]
    assert open_note(both, vkeys).verified == tuple(vkeys)
    assert len(open_note(both, vkeys[1:]).unknown) == 1


@pytest.mark.parametrize(
    "note",
    [
        *("", "\n", "\n\n", TEXT, TEXT + "\n", LINE, "\n" + LINE),
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "\n" + "x",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("first", "fi\trst"),
        NOTE.replace("first", "fi\0rst"),
        NOTE.replace("first", "fi\ud800rst"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—"),
        NOTE.replace("— ", "—  "),
        NOTE.replace("— ", "—\u00a0"),
        NOTE.replace("— ", " — "),
        NOTE.replace(f"{NAME} ", f"{NAME}  "),
        NOTE.replace(f"{NAME} ", f"{NAME}\t"),
        NOTE[:-1] + " \n",
        NOTE + "text\n",
    ],
)
def test_malformed_notes_are_refused(note: str) -> None:
    """Line ends, control characters, spaces and dashes are exactly as specified."""
    with pytest.raises(FormatError):
        parse_note(note)
    assert code_of(note) == "bad-note"


@pytest.mark.parametrize("encoded", ["AAAAAA==", "AAAA", "AAAAAAB=", "AAAAAAA", "===="])
def test_malformed_signatures_are_refused(encoded: str) -> None:
    """Too short for an id and a signature, or another spelling of base64."""
    code = code_of(f"{NOTE}— witness.example {encoded}\n")
    assert code in {"bad-note", "bad-base64"}


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "a b", "a+b", "a\nb", "a\tb", "a\x00b", "a\x1fb", "a\ud800b"),
        *("a\x85b", "a\u00a0b", "\u1680", "a\u2003", "a\u2028b", "\u3000a"),
    ],
)
def test_bad_key_names_are_refused(name: str) -> None:
    """No Unicode space, plus or control character is in a key name."""
    with pytest.raises(FormatError) as caught:
        check_key_name(name)
    assert caught.value.code == "bad-key-name"
    with pytest.raises(FormatError):
        make_vkey(name, KEY.public)
    with pytest.raises(FormatError):
        sign_note(TEXT, name, KEY)
    with pytest.raises(FormatError):
        format_note(Note(TEXT, (Signature(name, bytes(4), bytes(64)),)))
    with pytest.raises(FormatError):
        parse_note(f"{NOTE}— {name} {format_base64(bytes(68))}\n")


@given(st.characters())
def test_names_hold_no_space_of_unicode(character: str) -> None:
    """What Python calls a space is in no name: the spelled-out list is complete."""
    try:
        check_key_name(character)
    except FormatError:
        return
    assert not character.isspace()
    assert character != "+"


@given(names, st.binary(min_size=32, max_size=32))
def test_vkeys_round_trip(name: str, seed: bytes) -> None:
    """Any name with any key."""
    vkey = make_vkey(name, SigningKey(seed).public)
    assert parse_vkey(format_vkey(vkey)) == vkey


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad-vkey"),
        ("example.com/foo", "bad-vkey"),
        ("example.com/foo+530d903a", "bad-vkey"),
        (PUBLISHED_VKEY.replace("530d903a", "530d903b"), "bad-vkey"),
        (PUBLISHED_VKEY.replace("530d903a", "530D903A"), "bad-hex"),
        (PUBLISHED_VKEY.replace("530d903a", "0530d903a"), "bad-hex"),
        (PUBLISHED_VKEY.replace("foo", "bar"), "bad-vkey"),
        (PUBLISHED_VKEY.replace("example.com/foo", ""), "bad-key-name"),
        (PUBLISHED_VKEY.replace("/", " "), "bad-key-name"),
        (PUBLISHED_VKEY.replace("+Aek", "+Bek"), "bad-vkey"),
        (PUBLISHED_VKEY[:-4], "bad-public-key"),
        (PUBLISHED_VKEY + "AA==", "bad-public-key"),
        (PUBLISHED_VKEY + "\n", "bad-base64"),
        (f"{NAME}+00000000+{format_base64(bytes([1]) + bytes(32))}", "bad-public-key"),
        (f"{NAME}+00000000+", "bad-vkey"),
    ],
)
def test_bad_vkeys_are_refused(text: str, code: str) -> None:
    """Other types, ids that don't fit, keys that no strict verifier takes."""
    with pytest.raises(LedgerError) as caught:
        parse_vkey(text)
    assert caught.value.code == code


def test_two_vkeys_of_one_name_and_id_are_ambiguous() -> None:
    """Whoever configures both would not know which one had signed."""
    twin = Vkey(VKEY.name, VKEY.key_id, STRANGER.public)
    with pytest.raises(InputError) as caught:
        open_note(NOTE, [VKEY, twin])
    assert caught.value.code == "ambiguous-keys"
    assert open_note(NOTE, [VKEY, VKEY]).verified == (VKEY,)


@pytest.mark.parametrize(
    "text", ["", "no newline", "a\r\n", "a\tb\n", "a\0\n", "\ud800\n"]
)
def test_other_texts_are_not_signed(text: str) -> None:
    """What no reader would accept is not written."""
    with pytest.raises(FormatError) as caught:
        sign_note(text, NAME, KEY)
    assert caught.value.code == "bad-note"
    with pytest.raises(FormatError):
        format_note(Note(text, (Signature(NAME, bytes(4), bytes(64)),)))


def test_a_note_is_signed_by_somebody() -> None:
    """Without a signature it is no note, and not with too many."""
    with pytest.raises(FormatError):
        sign_note(TEXT, NAME)
    with pytest.raises(FormatError):
        format_note(Note(TEXT, (Signature(NAME, bytes(4), bytes(64)),) * 101))
