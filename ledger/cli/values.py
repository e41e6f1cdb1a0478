"""Values as people type them on the command line: amounts, dates, offsets."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import click

from ledger.accounting.money import parse_amount
from ledger.errors import InputError
from ledger.words import EPOCH_ORDINAL

_OFFSET = re.compile(r"([+-])(1[0-4]|0[0-9]):([0-5][0-9])\Z")


class Amount(click.ParamType[int]):
    """An amount in the major unit, not below zero, as micro-units."""

    name = "AMOUNT"

    def convert(
        self,
        value: Any,  # noqa: ANN401 (as click has it)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Parse one."""
        try:
            amount = parse_amount(str(value))
        except InputError as error:
            self.fail(f"{error.message}: {error.hint}", param, ctx)
        if amount < 0:
            self.fail(f"{value} is below zero", param, ctx)
        return amount


class Day(click.ParamType[int]):
    """A date as a day counted from 1970-01-01."""

    name = "YYYY-MM-DD"

    def convert(
        self,
        value: Any,  # noqa: ANN401 (as click has it)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Parse one."""
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            day = None
        # Python also takes 20261122 and 2026-W47-7.
        if day is None or day.isoformat() != value:
            self.fail(f"{value!r} is no date such as 2026-11-22", param, ctx)
        return day.toordinal() - EPOCH_ORDINAL


class UtcOffset(click.ParamType[int]):
    """An offset from UTC such as +01:00, as minutes."""

    name = "+HH:MM"

    def convert(
        self,
        value: Any,  # noqa: ANN401 (as click has it)
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Parse one."""
        found = _OFFSET.match(str(value))
        if found is None:
            self.fail(f"{value!r} is no offset such as +01:00 or -05:30", param, ctx)
        minutes = 60 * int(found[2]) + int(found[3])
        return -minutes if found[1] == "-" else minutes
