"""What stands in a cell: external ids, ISRCs, works, holders, shares.

Spreadsheets and catalogues write one value in many ways. What means the same without
doubt is mended, and noted; the rest is refused with what to do. Numbers are read
digit by digit and never pass through floating point. (`durations` has those.)

    external   namespace:id                         format.md §5
    ISRC       US-SKG-19-12345, usskg1912345        ISO 3901
    works      one external id, or id=ppm id=ppm    which add up to 10**6
    share      250000 (ppm), 25 or 25.0 % (percent)

Every parser takes the text of a cell, and raises `InputError` with a code of its own.

>>> parse_works("iswc:T0345246801=600000 iswc:T0345246812=400000")
[('iswc:T0345246801', 600000), ('iswc:T0345246812', 400000)]
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import isrc as isrc_rules

from ledger.entry.grammar import ISRC
from ledger.entry.grammar import check_external
from ledger.entry.grammar import check_token
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.events.types import PPM
from ledger.events.types import SIDES
from ledger.tlog.text import excerpt

WORKS_MAX = 64
NOBODY = "unknown"
"""What a cell says where nobody knows the holder."""

Note = Callable[[str, str], object]
"""Is told code and reason of what was mended."""

_is_short_external = re.compile(r"[a-z0-9-]{1,64}:[!-~]{1,96}\Z").match
_is_isrc = re.compile(ISRC).match
_is_party = re.compile(r"[0-9a-f]{32}\Z").match
_is_mangled = re.compile(r"[0-9][.,]?[0-9]*E\+[0-9]+\Z").search
_percent = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4})0*)? ?%?\Z").match
_ppm = re.compile(r"[0-9]{1,7}\Z").match
_weighted_work = re.compile(r"(.+)=([0-9]{1,7})\Z").match


def external_parser(namespace: str, note: Note) -> Callable[[str], str]:
    """Make a parser of ids, which may leave their namespace out.

    Args:
        namespace: goes before ids that do not have it; "" if all have one.
        note: is told of ids that were mended.

    Raises:
        InputError: ``bad-namespace``.
    """
    prefix = f"{namespace}:" if namespace else ""
    if prefix:
        _check_namespace(namespace)

    def parse(cell: str) -> str:
        external = cell if prefix and cell.startswith(prefix) else prefix + cell
        try:
            # The pattern by itself is what all but a few ids take.
            if _is_short_external(external) is None:
                check_external(external)
        except FormatError as error:
            bare = cell.strip()
            if bare == cell or not bare:
                raise _bad_id(cell, prefix, error) from None
            external = parse(bare)
            note("id-trimmed", f"spaces around {excerpt(bare)} were left out")
        if "E+" in external and _is_mangled(external):
            raise InputError(
                "id-mangled",
                f"{excerpt(cell)} is an id that a spreadsheet took for a number",
                hint="export the table again with the column formatted as text",
            )
        return external

    return parse


def holder_parser(
    parse: Callable[[str], str], *, required: bool
) -> Callable[[str], str]:
    """Make a parser of holders: ids, or `NOBODY`.

    Args:
        parse: parses an id.
        required: whether an empty cell is refused, as ``holder-missing``.
    """

    def parse_holder(cell: str) -> str:
        bare = cell.strip()
        if not bare and required:
            raise holder_missing()
        return parse(cell) if bare and bare != NOBODY else bare

    return parse_holder


def isrc_parser(note: Note) -> Callable[[str], str | None]:
    """Make a parser of ISRCs; an empty cell has none.

    Args:
        note: is told of codes that were mended, and of prefixes never given out.
    """
    known: set[str] = set()

    def parse(cell: str) -> str | None:
        code = cell
        if _is_isrc(cell) is None:
            code = isrc_rules.compact(cell)
            if not code:
                return None
            if _is_isrc(code) is None:
                raise _bad_isrc(cell, code)
            note("isrc-normalised", f"{excerpt(cell)} was written as {code}")
        prefix = code[:2]
        if prefix not in known and not _prefix_exists(prefix):
            note("isrc-prefix-unknown", f"no country or agency gives out {prefix}")
        else:
            known.add(prefix)
        return code

    return parse


def isrc_id_parser(parse: Callable[[str], str | None]) -> Callable[[str], str]:
    """Make a parser of ISRCs that stand for ids.

    Args:
        parse: parses an ISRC.
    """

    def parse_id(cell: str) -> str:
        code = parse(cell)
        if code is None:
            raise _id_missing()
        return f"isrc:{code}"

    return parse_id


def parse_party(cell: str) -> str:
    """Parse a party's own id, 16 bytes of lower-case hex.

    Raises:
        InputError: ``bad-party``.
    """
    if _is_party(cell) is None:
        raise InputError(
            "bad-party",
            f"{excerpt(cell)} is not a party's id",
            hint="32 characters of 0-9 and a-f; put other ids in a column `external`",
        )
    return cell


def parse_works(
    cell: str, external: Callable[[str], str] | None = None
) -> list[tuple[str, int]] | None:
    """Parse the works of a recording and their ppm; an empty cell has none.

    Args:
        cell: one id, which has the whole; or several `id=ppm` with spaces between.
        external: parses an id.

    Raises:
        InputError: ``bad-works``, ``works-not-whole``, or a code of `external`.
    """
    parts = cell.split()
    if not parts:
        return None
    parse = external or _parse_external
    if len(parts) == 1 and _weighted_work(parts[0]) is None:
        return [(parse(parts[0]), PPM)]
    weighted = list(map(_weighted_work, parts))
    works = [(parse(each[1]), int(each[2])) for each in weighted if each is not None]
    if len(works) < len(parts) or len(works) > WORKS_MAX:
        raise InputError(
            "bad-works",
            f"{excerpt(cell)} does not list works",
            hint=f"one id, or up to {WORKS_MAX} of id=ppm with spaces between",
        )
    total = sum(ppm for _, ppm in works)
    if total != PPM or len(dict(works)) < len(works):
        raise InputError(
            "works-not-whole",
            f"the works add up to {total} ppm"
            + (", one of them twice" if len(dict(works)) < len(works) else ""),
            hint=f"name each work once, and give them {PPM} ppm together",
        )
    return works


def parse_ppm(cell: str) -> int:
    """Parse parts per million, 0 to 1,000,000.

    Raises:
        InputError: ``bad-share``.
    """
    if _ppm(cell) is None or int(cell) > PPM:
        raise _bad_share(cell, f"a whole number from 0 to {PPM}")
    return int(cell)


def parse_percent(cell: str) -> int:
    """Parse a percentage of at most four decimals as parts per million.

    Raises:
        InputError: ``bad-share``.
    """
    found = _percent(cell)
    ppm = -1
    if found is not None:
        ppm = int(found[1]) * 10_000 + int((found[2] or "").ljust(4, "0"))
    if not 0 <= ppm <= PPM:
        raise _bad_share(cell, "0 to 100, with a point and at most four decimals")
    return ppm


def parse_side(cell: str) -> str:
    """Parse the name of a side.

    Raises:
        InputError: ``bad-side``.
    """
    side = cell.strip().lower()
    if side not in SIDES:
        raise InputError(
            "bad-side", f"{excerpt(cell)} is not a side", hint=f"write {_listed(SIDES)}"
        )
    return side


def parse_role(cell: str) -> str:
    """Parse a role.

    Raises:
        InputError: ``bad-token``.
    """
    check_token(cell)
    return cell


def holder_missing() -> InputError:
    """Say that a row names nobody."""
    return InputError(
        "holder-missing",
        "the row names no holder",
        hint=f"write {NOBODY} if nobody knows",
    )


def _parse_external(cell: str) -> str:
    check_external(cell)
    return cell


def _check_namespace(namespace: str) -> None:
    try:
        check_external(f"{namespace}:x")
    except FormatError:
        raise InputError(
            "bad-namespace",
            f"{excerpt(namespace)} is not a namespace",
            hint="use a-z, 0-9 and -",
        ) from None


def _bad_id(cell: str, prefix: str, error: FormatError) -> InputError:
    if not cell.strip():
        return _id_missing()
    hint = error.hint if prefix or ":" in cell else f"{error.hint}; name a namespace"
    return InputError(error.code, error.message, hint=hint)


def _id_missing() -> InputError:
    return InputError("id-missing", "the cell is empty", hint="every row needs an id")


def _bad_isrc(cell: str, code: str) -> InputError:
    hint = "two letters, three letters or digits, seven digits: CPDEM2600001"
    if len(code) != 12:  # noqa: PLR2004
        hint = f"it has {len(code)} characters instead of 12: {hint}"
    return InputError("bad-isrc", f"{excerpt(cell)} is not an ISRC", hint=hint)


def _prefix_exists(prefix: str) -> bool:
    return isrc_rules.is_valid(f"{prefix}AAA2600001")


def _bad_share(cell: str, form: str) -> InputError:
    return InputError(
        "bad-share", f"{excerpt(cell)} is not a share", hint=f"write {form}"
    )


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
