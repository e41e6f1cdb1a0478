"""Published probes of inclusion and consistency checkers, mostly hostile ones."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger.errors import VerificationError
from ledger.tlog.merkle import check_consistency
from ledger.tlog.merkle import check_inclusion

Shared = Callable[[str], Path]
Case = dict[str, Any]


def load(folder: Path) -> list[tuple[Path, Case]]:
    """All probes of a folder with their paths."""
    return [(path, json.loads(path.read_text())) for path in folder.rglob("*.json")]


def inclusion_holds(case: Case) -> bool:
    """What the checker says of an inclusion probe."""
    try:
        check_inclusion(
            case["leafIdx"],
            case["treeSize"],
            b64decode(case["leafHash"] or ""),
            [b64decode(value) for value in case["proof"] or ()],
            b64decode(case["root"] or ""),
        )
    except VerificationError:
        return False
    return True


def consistency_holds(case: Case) -> bool:
    """What the checker says of a consistency probe."""
    try:
        check_consistency(
            case["size1"],
            case["size2"],
            [b64decode(value) for value in case["proof"] or ()],
            b64decode(case["root1"] or ""),
            b64decode(case["root2"] or ""),
        )
    except VerificationError:
        return False
    return True


def test_inclusion_probes(shared: Shared) -> None:
    """Every inclusion probe is judged as its author says."""
    cases = load(shared("merkle/inclusion"))
    wrong = [
        str(path) for path, case in cases if inclusion_holds(case) == case["wantErr"]
    ]
    assert wrong == []
    assert len(cases) >= 90


def test_consistency_probes(shared: Shared) -> None:
    """Every consistency probe is judged as its author says."""
    cases = load(shared("merkle/consistency"))
    wrong = [
        str(path) for path, case in cases if consistency_holds(case) == case["wantErr"]
    ]
    assert wrong == []
    assert len(cases) >= 90
