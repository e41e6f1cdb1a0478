"""Audits the store in a folder, and prints the peak memory of the largest process.

python -m tests.bench.peak_memory FOLDER        KiB
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from ledger.audit import Audit
from ledger.storage.sqlite import SqliteStore


def main() -> None:
    """Audit, then print."""
    store = SqliteStore.open(Path(sys.argv[1]), read_only=True)
    report = Audit(store).run()
    store.close()
    if not report.ok:
        sys.exit("the audit failed")
    peaks = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(max(peaks))


if __name__ == "__main__":
    main()
