"""After a failed sync, nothing is written before a restart and a verification."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ledger.errors import HomeError
from ledger.storage.poison import FILE_NAME
from ledger.storage.poison import check_poison
from ledger.storage.poison import clear_poison
from ledger.storage.poison import mark_poisoned


def test_a_marker_refuses_until_the_restart(tmp_path: Path) -> None:
    """The same boot is refused with the reason; the next one must verify."""
    assert check_poison(tmp_path, "boot-1") is False
    mark_poisoned(tmp_path, "boot-1", "commit: disk I/O error\nsecond line")
    with pytest.raises(HomeError) as caught:
        check_poison(tmp_path, "boot-1")
    assert caught.value.code == "home-poisoned"
    assert "commit: disk I/O error second line" in caught.value.message
    assert check_poison(tmp_path, "boot-2") is True
    clear_poison(tmp_path)
    clear_poison(tmp_path)
    assert check_poison(tmp_path, "boot-1") is False


def test_the_first_marker_stays(tmp_path: Path) -> None:
    """A later failure does not take the place of the first."""
    mark_poisoned(tmp_path, "boot-1", "first")
    mark_poisoned(tmp_path, "boot-2", "second")
    assert (tmp_path / FILE_NAME).read_text() == "poisoned\nboot-1\nfirst\n"
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "poisoned", "poisoned\n\nreason\n"])
def test_a_marker_without_a_boot_always_refuses(tmp_path: Path, text: str) -> None:
    """A marker that the failing disk cut short still holds."""
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(HomeError) as caught:
        check_poison(tmp_path, "boot-2")
    assert caught.value.code == "home-poisoned"
