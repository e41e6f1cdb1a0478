"""The command line: `linernote` (ledger/docs/interface.md).

    program ─ which command ─┬ setting_up, key, append, imports, society      write
                             ├ show, money, proofs, kinds                      read
                             └ auditing, serving
    common   what commands share: options, the home, progress, documents
    failing  how an error is shown, and what the program exits with

Each module has the commands of one group, and is imported when one of them is
called: `linernote --help` needs none of them.
"""

from __future__ import annotations

from ledger.cli.program import main

__all__ = ["main"]
