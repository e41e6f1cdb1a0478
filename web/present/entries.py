"""One entry: its fields, its bytes, and the path to the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.query import EntryView
from ledger.tlog.proof import Proof
from ledger.tlog.text import format_base64
from ledger.words import Words
from ledger.words import moment
from web.addresses import entry_address
from web.addresses import party_address
from web.fields import Field
from web.fields import body_fields
from web.present.basics import GOOD
from web.present.basics import WAITING
from web.present.basics import Status
from web.present.items import Item
from web.present.items import item
from web.present.items import problem_status


@dataclass(frozen=True)
class Rung:
    """A step of an inclusion path: the neighbour's hash, and on which side it is."""

    side: str
    hash: str


def ladder(proof: Proof, size: int) -> tuple[Rung, ...]:
    """Say on which side each hash of an inclusion proof stands (RFC 9162 §2.1.3.2)."""
    place, last, rungs = proof.index, size - 1, []
    for value in proof.hashes:
        left = place % 2 == 1 or place == last
        rungs.append(Rung("left" if left else "right", format_base64(value)))
        while left and place % 2 == 0 and place:
            place, last = place // 2, last // 2
        place, last = place // 2, last // 2
    return tuple(rungs)


@dataclass(frozen=True)
class EntryPage:
    """An entry with its fields, bytes and proof."""

    item: Item
    author: str
    author_href: str
    statuses: tuple[Status, ...]
    fields: tuple[Field, ...]
    bytes: tuple[Field, ...]
    leaf: str
    leaf_hash: str
    rungs: tuple[Rung, ...]
    size: int
    root: str
    vkey: str
    previous: str
    following: str


def entry_page(
    words: Words, entry: EntryView, proof: Proof | None, tree: tuple[int, bytes]
) -> EntryPage:
    """Show an entry.

    Args:
        words: how everything is called.
        entry: to be shown.
        proof: to the published checkpoint; None if that is older.
        tree: size and root of that checkpoint.
    """
    size, root = tree
    event = entry.event
    published = Status(*WAITING, "Not published yet")
    if proof is not None:
        published = Status(*GOOD, f"Published, and sealed with {size:,} entries")
    problem = problem_status(entry)
    accepted = problem or Status(*GOOD, "Follows the rules of this log")
    return EntryPage(
        item=item(entry),
        author=words.party(entry.author),
        author_href=party_address(entry.author),
        statuses=(published, accepted),
        fields=() if entry.body is None else body_fields(words, entry.body),
        bytes=(
            Field("Leaf hash", entry.leaf_hash.hex(), code=True),
            Field("Signature", entry.signature.hex(), code=True),
            Field("Key", event.key.hex(), code=True),
            Field("Number in the key's own chain", f"{event.seq:,}"),
            Field("Event before it by this key", event.prev.hex(), code=True),
            Field("Event id", event.id.hex(), code=True),
            Field("Signed at, by the author's clock", moment(event.time)),
            Field(
                "Newest entry that the author had seen",
                f"entry {event.seen[0]}",
                entry_address(event.seen[0]),
            ),
        ),
        leaf=entry.leaf.hex(),
        leaf_hash=format_base64(entry.leaf_hash),
        rungs=() if proof is None else ladder(proof, size),
        size=size,
        root=format_base64(root) if size else "",
        vkey="",
        previous=entry_address(entry.index - 1) if entry.index else "",
        following=entry_address(entry.index + 1),
    )
