"""A cell means one thing, or is refused with what to do about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry import grammar
from ledger.errors import InputError
from ledger.imports import cells
from tests.imports.files import refused


class Noted(list[str]):
    """The codes of notes."""

    def __call__(self, code: str, reason: str) -> None:
        assert reason
        self.append(code)


@pytest.mark.parametrize(
    ("namespace", "cell", "external"),
    [
        ("jamendo", "track_0000948", "jamendo:track_0000948"),
        ("jamendo", "jamendo:track_0000948", "jamendo:track_0000948"),
        ("jamendo", "other:x", "jamendo:other:x"),
        ("", "other:x", "other:x"),
        ("x", "1E5", "x:1E5"),
        ("x", "E+", "x:E+"),
        ("x", "~" * 96, "x:" + "~" * 96),
        ("n" * 100, "1", "n" * 100 + ":1"),
    ],
)
def test_ids_get_their_namespace_once(namespace: str, cell: str, external: str) -> None:
    """An id has its namespace by itself or by the layout, and never twice."""
    noted = Noted()
    assert cells.external_parser(namespace, noted)(cell) == external
    assert noted == []


def test_spaces_around_an_id_are_left_out_and_noted() -> None:
    """No id has spaces, so that leaving them out mends without doubt."""
    noted = Noted()
    assert cells.external_parser("x", noted)(" 1 ") == "x:1"
    assert noted == ["id-trimmed"]


@pytest.mark.parametrize(
    ("namespace", "cell", "code"),
    [
        ("x", "", "id-missing"),
        ("x", "  ", "id-missing"),
        ("", "", "id-missing"),
        ("x", "a b", "bad-external"),
        ("x", "é", "bad-external"),
        ("x", "1" * 97, "bad-external"),
        ("", "track", "bad-external"),
        ("", "Upper:1", "bad-external"),
        ("x", "1.23E+12", "id-mangled"),
        ("x", " 1E+05 ", "id-mangled"),
    ],
)
def test_what_is_no_id_is_refused(namespace: str, cell: str, code: str) -> None:
    """Each way to be no id has its code, and a hint."""
    parse = cells.external_parser(namespace, Noted())
    assert refused(code, lambda: parse(cell)).hint


def test_a_namespace_has_a_grammar() -> None:
    """It is refused once, not for every row; so is one too long for any id."""
    refused("bad-namespace", lambda: cells.external_parser("No Such", Noted()))
    refused("bad-namespace", lambda: cells.external_parser("n" * 1_023, Noted()))
    parse = cells.external_parser("n" * 1_022, Noted())
    refused("bad-external", lambda: parse("12"))


@given(st.text(max_size=20))
def test_an_id_that_passes_is_one_of_the_format(cell: str) -> None:
    """No text gets past the parser that the format would refuse."""
    try:
        external = cells.external_parser("x", Noted())(cell)
    except InputError:
        return
    grammar.check_external(external)


@pytest.mark.parametrize(
    ("cell", "code", "notes"),
    [
        ("CPDEM2600001", "CPDEM2600001", []),
        ("CP-DEM-26-00001", "CPDEM2600001", ["isrc-normalised"]),
        ("cp dem 26 00001", "CPDEM2600001", ["isrc-normalised"]),
        (" usskg1912345\t", "USSKG1912345", ["isrc-normalised"]),
        ("CP\u2010DEM\u201026\u201000001", "CPDEM2600001", ["isrc-normalised"]),
        ("JMK401400001", "JMK401400001", []),
        ("XXDEM2600001", "XXDEM2600001", ["isrc-prefix-unknown"]),
        ("", None, []),
        (" - ", None, []),
    ],
)
def test_isrcs_are_mended_and_noted(
    cell: str, code: str | None, notes: list[str]
) -> None:
    """Hyphens, spaces and case do not matter; an odd prefix is told, not refused."""
    noted = Noted()
    assert cells.isrc_parser(noted)(cell) == code
    assert noted == notes


@pytest.mark.parametrize(
    "cell", ["CPDEM260001", "CPDEM26000011", "1PDEM2600001", "CPDEM26OOO01", "n/a"]
)
def test_what_is_no_isrc_is_refused(cell: str) -> None:
    """Neither a letter O for a zero nor a character too many is guessed away."""
    assert (
        "CPDEM2600001"
        in refused("bad-isrc", lambda: cells.isrc_parser(Noted())(cell)).hint
    )


def test_every_odd_prefix_counts() -> None:
    """Seeing a prefix before does not make it known."""
    noted = Noted()
    parse = cells.isrc_parser(noted)
    for cell in ("XXDEM2600001", "CPDEM2600001", "XXDEM2600002", "CPDEM2600003"):
        parse(cell)
    assert noted == ["isrc-prefix-unknown"] * 2


def test_an_isrc_stands_for_an_id() -> None:
    """Then its namespace is isrc, and it can't be missing."""
    parse = cells.isrc_id_parser(cells.isrc_parser(Noted()))
    assert parse("CP-DEM-26-00001") == "isrc:CPDEM2600001"
    refused("id-missing", lambda: parse(""))


def test_holders_are_ids_or_unknown() -> None:
    """`unknown` never becomes an id, with spaces around it either."""
    parse = cells.external_parser("x", Noted())
    required = cells.holder_parser(parse, required=True)
    assert required("ada") == "x:ada"
    assert required("unknown") == required(" unknown ") == cells.NOBODY
    refused("holder-missing", lambda: required(" "))
    assert cells.holder_parser(parse, required=False)(" ") == ""


@pytest.mark.parametrize(
    ("cell", "works"),
    [
        ("iswc:T1", [("iswc:T1", 1_000_000)]),
        (" iswc:T1 ", [("iswc:T1", 1_000_000)]),
        ("iswc:T1=1000000", [("iswc:T1", 1_000_000)]),
        ("a:1=600000  a:2=400000", [("a:1", 600_000), ("a:2", 400_000)]),
        ("a:x=y=1000000", [("a:x=y", 1_000_000)]),
        ("a:1=0 a:2=1000000", [("a:1", 0), ("a:2", 1_000_000)]),
        ("  ", None),
    ],
)
def test_works_and_their_weights(
    cell: str, works: list[tuple[str, int]] | None
) -> None:
    """One work has the whole; several say what each has."""
    assert cells.parse_works(cell) == works


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("a:1 a:2", "bad-works"),
        ("a:1=500000 a:2", "bad-works"),
        ("a:1=500000 a:2=400000", "works-not-whole"),
        ("a:1=500000 a:1=500000", "works-not-whole"),
        ("track", "bad-external"),
        (" ".join(f"a:{n}=15625" for n in range(65)), "bad-works"),
    ],
)
def test_works_that_are_not_whole_are_refused(cell: str, code: str) -> None:
    """A medley whose parts do not add up would lose money later on."""
    refused(code, lambda: cells.parse_works(cell))


def test_as_many_works_as_a_line_holds() -> None:
    """The bound is that of the line type."""
    works = cells.parse_works(" ".join(f"a:{n}=15625" for n in range(64)))
    assert works is not None
    assert len(works) == cells.WORKS_MAX


@pytest.mark.parametrize(
    ("cell", "ppm"),
    [
        ("100", 1_000_000),
        ("33.3333", 333_333),
        ("33.33330", 333_333),
        ("0.0001", 1),
        ("0", 0),
        ("12.5%", 125_000),
        ("12.5 %", 125_000),
        ("100.0000", 1_000_000),
    ],
)
def test_percentages_are_exact(cell: str, ppm: int) -> None:
    """Four decimals of a percent are parts per million."""
    assert cells.parse_percent(cell) == ppm


@pytest.mark.parametrize(
    "cell", ["", "100.0001", "101", "-1", "33,3", "33.33333", "1e1", "٣", ".5", "50 50"]
)
def test_percentages_that_are_none(cell: str) -> None:
    """No rounding, no comma, no digits but those of ASCII."""
    refused("bad-share", lambda: cells.parse_percent(cell))


@given(st.integers(0, 1_000_000))
def test_parts_per_million_either_way(ppm: int) -> None:
    """A share is the same in both units."""
    assert cells.parse_ppm(str(ppm)) == ppm
    assert cells.parse_percent(f"{ppm // 10_000}.{ppm % 10_000:04}") == ppm


@pytest.mark.parametrize("cell", ["", "1000001", "-1", "1.0", "+5", "99999999"])
def test_parts_per_million_that_are_none(cell: str) -> None:
    """Whole numbers of at most a million."""
    refused("bad-share", lambda: cells.parse_ppm(cell))


def test_sides_parties_and_roles() -> None:
    """Case is mended where it can't matter, and nothing else."""
    assert cells.parse_side(" Master ") == "master"
    refused("bad-side", lambda: cells.parse_side("publishing"))
    assert cells.parse_party("0a" * 16) == "0a" * 16
    refused("bad-party", lambda: cells.parse_party("0A" * 16))
    refused("bad-party", lambda: cells.parse_party("0a" * 15))
    assert cells.parse_role("session") == "session"
    refused("bad-token", lambda: cells.parse_role("Lead Singer"))
