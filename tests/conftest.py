"""What every test shares: real data from outside the project, and settings."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from ledger.anchor import VARIABLE

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real data and published vectors, beside the checkout; may be absent."""

# Deadlines fail on a busy machine, and a database would write into the checkout.
settings.register_profile("linernote", deadline=None, database=None)
settings.load_profile("linernote")


_ANCHORS = tempfile.TemporaryDirectory(prefix="linernote-anchors-")


def pytest_configure() -> None:
    """Anchor the logs of tests in a folder of their own, also in what they start."""
    os.environ[VARIABLE] = _ANCHORS.name


def pytest_unconfigure() -> None:
    """Remove that folder."""
    _ANCHORS.cleanup()


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Give the path of a file or folder of shared data, or skip the test."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"no shared data at {path}")
        return path

    return find
