"""Addresses of pages: what they may hold, and how to make them.

What does not fit here never reaches a view: an index in its one spelling, a party's
id in lower-case hex, an external id of the format's grammar.

>>> recording_address("demo:a/../b?c")
'/recording/demo:a%2F..%2Fb%3Fc'
"""

from __future__ import annotations

from urllib.parse import quote

from werkzeug.routing import BaseConverter
from werkzeug.routing import PathConverter


class IndexConverter(BaseConverter):
    """An index of the log, in its canonical decimal form."""

    regex = r"(?:0|[1-9][0-9]{0,17})"

    def to_python(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write it."""
        return str(value)


class PartyConverter(BaseConverter):
    """A party's id."""

    regex = r"[0-9a-f]{32}"


class RootConverter(BaseConverter):
    """A manifest's root."""

    regex = r"[0-9a-f]{64}"


class ExternalConverter(PathConverter):
    """An external id, slashes and all."""

    regex = r"[a-z0-9-]+:[!-~]{1,101}"  # 96, and `.json` of the twin
    part_isolating = False


CONVERTERS = {
    "external": ExternalConverter,
    "index": IndexConverter,
    "party": PartyConverter,
    "root": RootConverter,
}


def entry_address(index: int) -> str:
    """Give the address of an entry."""
    return f"/entry/{index}"


def party_address(party: bytes) -> str:
    """Give the address of a party."""
    return f"/party/{party.hex()}"


def recording_address(external: str) -> str:
    """Give the address of a recording."""
    # A slash is hidden as well, or browsers would fold away what looks like `..`.
    return f"/recording/{quote(external, safe=':')}"
