"""Grammars of strings: what each takes, and the nearest that it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ledger.entry import grammar
from ledger.errors import FormatError

Check = Callable[[str], None]

GOOD: dict[Check, list[str]] = {
    grammar.check_token: ["a", "distribution/lines", "alloc/1", "x.y_z-0", "a" * 64],
    grammar.check_external: [
        "jamendo:track_0000948",
        "a:!",
        "a-1:~:~",
        f"x:{'!' * 96}",
        f"{'x' * 927}:{'!' * 96}",
    ],
    grammar.check_isrc: ["CPDEM2600001", "USSKG1912345", "SEA1B0000000"],
    grammar.check_iswc: ["T0345246801", "T0000000010", "T9999999994"],
    grammar.check_currency: ["SEK", "USD", "XTS"],
    grammar.check_text: ["a", "é", "\u00a0", "\u202e", "a" * 1024, "é" * 512],
}
BAD: dict[Check, list[str]] = {
    grammar.check_token: ["", "A", "a b", "a\n", "é", "a" * 65, "a:b", "ª"],
    grammar.check_external: [
        "",
        "a",
        ":b",
        "a:",
        "A:b",
        "a_b:c",
        "a: b",
        "a:b\n",
        "a:é",
        "a:\x7f",
        f"x:{'!' * 97}",
        f"{'x' * 928}:{'!' * 96}",
    ],
    grammar.check_isrc: [
        "",
        "CPDEM260000",
        "CPDEM26000011",
        "cpdem2600001",
        "CP-DEM-26-00001",
        "C1DEM2600001",
        "CPDEMA600001",
        "CPDEM2600001\n",
        "CPDEM260000\u0663",
    ],
    grammar.check_iswc: [
        "",
        "T0345246802",
        "T0345246810",
        "T-034.524.680-1",
        "t0345246801",
        "T034524680",
        "T0345246801\n",
        "T034524680\u0661",
    ],
    grammar.check_currency: ["", "sek", "SE", "SEKK", "SE1", "SEK\n", "ÅÄÖ"],
    grammar.check_text: ["", "\n", "a\x7f", "\x80", "\x9f", "a" * 1025, "\ud800"],
}
CODES: dict[Check, str] = {
    grammar.check_token: "bad-token",
    grammar.check_external: "bad-external",
    grammar.check_isrc: "bad-isrc",
    grammar.check_iswc: "bad-iswc",
    grammar.check_currency: "bad-currency",
    grammar.check_text: "bad-string",
}
PATTERNS: dict[Check, str] = {
    grammar.check_token: grammar.TOKEN,
    grammar.check_isrc: grammar.ISRC,
    grammar.check_currency: grammar.CURRENCY,
}


@pytest.mark.parametrize("check", GOOD, ids=lambda check: check.__name__)
def test_a_grammar_takes_what_it_describes(check: Check) -> None:
    """Ordinary and extreme strings of the grammar pass."""
    for text in GOOD[check]:
        check(text)


@pytest.mark.parametrize("check", BAD, ids=lambda check: check.__name__)
def test_a_grammar_refuses_its_neighbours(check: Check) -> None:
    """Strings one step outside the grammar are refused by its own code."""
    for text in BAD[check]:
        with pytest.raises(FormatError) as caught:
            check(text)
        assert caught.value.code == CODES[check], text


@pytest.mark.parametrize("check", PATTERNS, ids=lambda check: check.__name__)
def test_patterns_say_the_same_as_the_checks(check: Check) -> None:
    """A pattern that is searched for, as msgspec does, covers the whole string."""
    pattern = re.compile(PATTERNS[check])
    assert all(pattern.search(text) for text in GOOD[check])
    assert not any(pattern.search(text) for text in BAD[check])


def test_an_iswc_has_one_check_digit() -> None:
    """Of the ten last digits, the formula of ISO 15707 leaves one."""
    left = []
    for digit in "0123456789":
        try:
            grammar.check_iswc(f"T034524680{digit}")
        except FormatError:
            continue
        left.append(digit)
    assert left == ["1"]


def test_messages_quote_hostile_strings_safely() -> None:
    """Line feeds and escapes never reach a terminal or a log file raw."""
    with pytest.raises(FormatError) as caught:
        grammar.check_token("a\n\x1b[31m")
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()
