"""Files to lines: catalogues, share tables and datasets become manifests.

    lines ◄─ catalogue, shares, dataset ◄─ reading ◄─ table ◄─ source ◄─ file
                    │                        │
                 holders                  sorting, report

Catalogues come from other people's databases: in their own layouts, with rows that are
wrong, in files larger than memory. Whatever comes out of here is typed, sorted and
valid, so that a manifest can be built of it as it streams; whatever can't be is set
aside row by row, in a file that a person can correct and import again.

    read_catalogue   recordings, parties and shares for three manifests
    read_shares      share tables by themselves
    read_dataset     what a model is trained on
    read_lines       any manifest's lines, stated field by field
"""

from __future__ import annotations

from ledger.imports.catalogue import Catalogue
from ledger.imports.catalogue import Counts
from ledger.imports.catalogue import SharesFile
from ledger.imports.catalogue import read_catalogue
from ledger.imports.dataset import Dataset
from ledger.imports.dataset import read_dataset
from ledger.imports.holders import Holdings
from ledger.imports.holders import PartyBook
from ledger.imports.layout import JAMENDO
from ledger.imports.layout import DatasetLayout
from ledger.imports.layout import Form
from ledger.imports.layout import HolderColumn
from ledger.imports.layout import Layout
from ledger.imports.layout import SharesLayout
from ledger.imports.lines import Lines
from ledger.imports.lines import read_lines
from ledger.imports.report import Note
from ledger.imports.report import Rejected
from ledger.imports.report import Rejection
from ledger.imports.shares import read_shares

__all__ = [
    "JAMENDO",
    "Catalogue",
    "Counts",
    "Dataset",
    "DatasetLayout",
    "Form",
    "HolderColumn",
    "Holdings",
    "Layout",
    "Lines",
    "Note",
    "PartyBook",
    "Rejected",
    "Rejection",
    "SharesFile",
    "SharesLayout",
    "read_catalogue",
    "read_dataset",
    "read_lines",
    "read_shares",
]
