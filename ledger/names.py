r"""The side store: names of parties and titles of recordings, kept off the log.

    {"parties": {party id, hex: name}, "recordings": {external id: title}}

No personal data stands on the log (format.md §5), so whoever a party is stays in
`names.json` in the home: it can be corrected, erased or missing, and nothing that is
signed, replayed or proven changes. Names are shown, never compared; what they may
hold to deceive a reader is neutralised first (format.md §1).

>>> names = Names(parties={(b"a" * 16).hex(): "Ottoline Brackwater"})
>>> names.party(b"a" * 16), names.party(b"b" * 16), names.party(b"b" * 16, "demo:b")
('Ottoline Brackwater', '62626262', 'demo:b')
>>> neutral("gnol\u202e\x07")
'gnol\ufffd\ufffd'
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from ledger.errors import HomeError
from ledger.home import write_durably

SHORT_ID_LENGTH = 8
SHOWN_LENGTH_MAX = 200
UNKNOWN = "an unknown holder"

# Control codes, characters without width or that turn the direction of writing,
# lone surrogates, private use, and separators of lines and paragraphs.
_DECEPTIVE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


class Names(msgspec.Struct, forbid_unknown_fields=True):
    """Names and titles.

    Attributes:
        parties: party id in lower-case hex to name.
        recordings: external id to title.
    """

    parties: dict[Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")], str] = {}
    recordings: dict[str, str] = {}

    @classmethod
    def load(cls, path: Path) -> Names:
        """Read the file; without one there are no names.

        Raises:
            HomeError: `names-damaged`.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except (OSError, msgspec.MsgspecError) as error:
            raise HomeError(
                "names-damaged",
                f"{path} cannot be read: {error}",
                hint="mend it or remove it; no entry depends on it",
            ) from error

    def save(self, path: Path) -> None:
        """Write the file anew: whole, durably, and beside no other writer's copy."""
        data = msgspec.json.format(msgspec.json.encode(self, order="sorted"))
        write_durably(path, data + b"\n")

    def party(self, party: bytes, external: str = "") -> str:
        """Name a party: as the side store does, else by external id, else by id."""
        if not any(party):
            return UNKNOWN
        named = neutral(self.parties.get(party.hex(), ""))
        return named or external or short_id(party)

    def recording(self, external: str) -> str:
        """Give a recording's title, or its external id."""
        return neutral(self.recordings.get(external, "")) or external

    def parties_like(self, text: str) -> list[tuple[bytes, str]]:
        """Find parties whose names hold a text, whatever its case."""
        wanted = text.casefold()
        return [
            (bytes.fromhex(party), neutral(name))
            for party, name in self.parties.items()
            if wanted in name.casefold()
        ]

    def recordings_like(self, text: str) -> list[tuple[str, str]]:
        """Find recordings whose titles hold a text, whatever its case."""
        wanted = text.casefold()
        return [
            (external, neutral(title))
            for external, title in self.recordings.items()
            if wanted in title.casefold()
        ]


def short_id(identity: bytes) -> str:
    """Shorten an id for reading."""
    return identity.hex()[:SHORT_ID_LENGTH]


def neutral(text: str) -> str:
    """Make foreign text fit to be shown: nothing in it acts, or hides."""
    shown = "".join(
        "\ufffd" if unicodedata.category(each) in _DECEPTIVE else each
        for each in unicodedata.normalize("NFC", text[:SHOWN_LENGTH_MAX])
    )
    return shown.strip()
