"""Commands that look things up: an entry, or whatever a person types."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

import click

from ledger.cli.common import Command
from ledger.cli.common import Settings
from ledger.cli.common import hint
from ledger.cli.common import home_option
from ledger.cli.common import json_option
from ledger.cli.common import open_home
from ledger.cli.common import pass_settings
from ledger.cli.documents import fields
from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.cli.documents import table
from ledger.cli.reading import Remote
from ledger.cli.reading import log_document
from ledger.cli.reading import remote_options
from ledger.query.documents import body_document
from ledger.query.documents import entry_document
from ledger.query.documents import search_document
from ledger.words import moment

if TYPE_CHECKING:
    from ledger.query import EntryView

FOUND_MAX = 50


@click.command(
    cls=Command,
    examples="""
    linernote show 0
    linernote show 17 --json
    the leaf data, for a program of one's own
    linernote show 17 --bytes > 17.leaf
    an entry of a log that is somewhere else, verified
    linernote show 17 --from https://example.com/log --vkey "$(cat log.vkey)"
    """,
)
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--bytes",
    "raw",
    is_flag=True,
    help="Write the leaf data alone, as it is: what the tree is over.",
)
@home_option
@json_option
@pass_settings
@remote_options
def show(settings: Settings, index: int, *, raw: bool, remote: Remote | None) -> None:
    """Show one entry in words, fields and bytes.

    Says in a sentence what the entry says, then who signed it and when, and every field
    of its body; with --bytes, the bytes that hashes and signatures are over.

    With --from, shows the entry only if it is in the tree that the log signed. There
    is no sentence then, since it takes the whole log to tell it, and no word on
    whether the entry keeps the rules.
    """
    if remote is not None:
        entry, document, lines = _read_remote(remote, index)
    else:
        with open_home(settings) as reader:
            entry = reader.entry(index)
            with reader.reading() as sources:
                author = sources.words.party(entry.author)
        document = entry_document(entry)
        lines = [*_told(entry), *_lines(entry, f"{author} ({entry.author.hex()})")]
    if raw:
        sys.stdout.buffer.write(entry.leaf)
    elif settings.json:
        print_document(document)
    else:
        click.echo("\n".join(lines))


def _read_remote(
    remote: Remote, index: int
) -> tuple[EntryView, dict[str, Any], list[str]]:
    """Read an entry of a log somewhere else: itself, its document, its lines."""
    from ledger.query.entries import plain_view
    from ledger.reader import open_leaf

    with remote.open() as log:
        leaf = log.leaf(index)
        open_leaf(leaf, index)
        checkpoint = log.latest
    entry = plain_view(leaf)
    document = entry_document(entry)
    # Only replay tells these, and nothing would mean that there is none.
    del document["sentence"], document["problem"]
    document["log"] = log_document(checkpoint)
    told = (
        f"Entry {index} of {harmless(checkpoint.origin)}, verified among its first"
        f" {checkpoint.size:,} entries."
    )
    return entry, document, [told, *_lines(entry, entry.author.hex())]


def _told(entry: EntryView) -> Iterator[str]:
    yield entry.sentence
    if entry.problem is not None:
        seen = entry.problem.acknowledged
        yield f"This entry broke a rule and changed nothing: {entry.problem.code}"
        if seen >= 0:
            yield f"The operator acknowledged that in entry {seen}."


def _lines(entry: EntryView, author: str) -> Iterator[str]:
    event = entry.event
    yield ""
    yield from fields(
        [
            ("entry", str(entry.index)),
            ("kind", entry.kind),
            ("taken in", moment(entry.time_ms)),
            ("author", author),
            ("signed", moment(event.time)),
            ("key", f"{event.key.hex()}, its event {event.seq}"),
            ("had seen", f"entry {event.seen[0]}"),
            ("event id", event.id.hex()),
            ("leaf hash", entry.leaf_hash.hex()),
        ],
        indent="",
    )
    yield ""
    yield "body"
    body = body_document(entry)
    if body is None:
        yield "  not of its kind's form: --bytes writes it as it is"
    else:
        yield from fields([(name, _shown(value)) for name, value in body.items()])
    yield ""
    yield f"signature  {entry.signature.hex()}"
    yield f"leaf data  {len(entry.leaf)} bytes, which --bytes writes"


def _shown(value: Any) -> str:  # noqa: ANN401 (whatever a body holds)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@click.command(
    cls=Command,
    examples="""
    linernote search Birch
    linernote search jamendo:track_0000948
    linernote search 9a0f12
    """,
)
@click.argument("text")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=1_000),
    default=FOUND_MAX,
    show_default=True,
    help="Show at most so many.",
)
@home_option
@json_option
@pass_settings
def search(settings: Settings, text: str, limit: int) -> None:
    """Find parties, recordings and entries.

    TEXT is a name or title, an external id, an ISRC, a run or model, an index, or the
    beginning of an id or hash. Finding nothing is no error.
    """
    if not text.strip():
        raise click.UsageError("say what to look for")
    with open_home(settings) as reader:
        found = reader.search(text, limit)
    if settings.json:
        print_document(search_document(text, found))
        return
    if not found:
        hint(f"nothing is known of {text!a}")
        return
    rows = [[each.what, each.key, each.label, f"({each.reason})"] for each in found]
    click.echo("\n".join(table(rows)))
    if len(found) == limit:
        hint(f"there may be more: --limit {10 * limit}")
