"""Verifying a whole log that is somewhere else."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from ledger.cli.common import Progress
from ledger.cli.common import Settings
from ledger.cli.documents import harmless
from ledger.cli.documents import print_document
from ledger.cli.reading import log_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.reader import Reader


def verify_log(settings: Settings, place: str, log: Reader) -> None:
    """Verify bytes, tree, chain and signatures of every entry, and report.

    Raises:
        LedgerError: as `Reader.leaves` and `verified_batches`.
    """
    from ledger.audit.verifying import verified_batches
    from ledger.audit.verifying import verifying_workers

    checkpoint = log.latest
    size = checkpoint.size
    log.tree.check()
    stream = log.leaves(0, size)

    def following(start: int, stop: int) -> Iterator[bytes]:
        # The stream goes on from chunk to chunk, so that it can fetch ahead.
        return islice(stream, stop - start)

    signatures = 0
    with verifying_workers(size) as pool, Progress("verifying") as progress:
        for batch in verified_batches(following, size, pool):
            signatures += batch.chunk.signatures
            progress(batch.chunk.first_index + batch.chunk.size, size)
    if settings.json:
        counts = {"entries": size, "signatures": signatures}
        print_document({"proofs": [], "log": {**log_document(checkpoint), **counts}})
        return
    click.echo(
        f"{harmless(place)}: verified: {size:,} entries of"
        f" {harmless(checkpoint.origin)}, {signatures:,} signatures: bytes, tree, chain"
        " and signatures hold"
    )
