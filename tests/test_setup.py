"""A home is born whole: three keys, two entries, a checkpoint; or there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from ledger.audit import Audit
from ledger.errors import ConflictError
from ledger.errors import FormatError
from ledger.errors import InputError
from ledger.keys.keyfile import CHEAPEST
from ledger.keys.ring import KeyRing
from ledger.setup import create_home
from ledger.setup import currency_rules
from ledger.storage.sqlite import SqliteStore
from ledger.tlog.checkpoint import open_checkpoint

SEK = currency_rules(["SEK"])


def counted_bytes() -> Callable[[int], bytes]:
    """Make randomness that is the same each time."""
    numbers = count(1)
    return lambda length: next(numbers).to_bytes(length, "big")


def counted_clock() -> Callable[[], int]:
    """Make a clock that is the same each time."""
    ticks = count(1_764_000_000_000)
    return lambda: next(ticks)


def test_a_new_log_passes_its_audit(tmp_path: Path) -> None:
    """Everything that an auditor asks holds from the first moment on."""
    founded = create_home(
        tmp_path / "home", origin="a.example/log", currencies=SEK, passphrase=None
    )
    store = SqliteStore.open(founded.home.path, read_only=True)
    report = Audit(store, founded.home.public).run()
    store.close()
    assert (report.exit_code, report.size) == (0, 2)
    text = (founded.home.public / "checkpoint").read_text(encoding="utf-8")
    assert open_checkpoint(text, founded.vkey) == founded.checkpoint


def test_the_same_randomness_and_clock_make_the_same_log(tmp_path: Path) -> None:
    """Nothing but what is given decides: the log is a function of it."""
    ids = set()
    for name in ("one", "other"):
        founded = create_home(
            tmp_path / name,
            origin="a.example/log",
            currencies=SEK,
            passphrase=None,
            random=counted_bytes(),
            clock=counted_clock(),
        )
        ids.add((founded.log_id, founded.checkpoint.root))
    assert len(ids) == 1


def test_the_three_keys_differ_and_open(tmp_path: Path) -> None:
    """Log key, root key and sign key are never the same (format.md §4)."""
    founded = create_home(
        tmp_path / "home",
        origin="a.example/log",
        currencies=SEK,
        passphrase="tea",
        cost=CHEAPEST,
    )
    ring = KeyRing(founded.home.keys)
    opened = [ring.unlock(name, "tea").public for name in ring.names()]
    assert len(set(opened)) == 3
    assert [each.purpose for each in ring] == ["log", "sign", "root"]
    assert {each.party for each in ring} == {founded.operator}


def test_a_passphrase_is_asked_for_only_where_there_is_room(tmp_path: Path) -> None:
    """Whoever would be asked is not, if the folder is taken."""
    (tmp_path / "x").write_text("mine", encoding="utf-8")
    asked = []

    def ask() -> str:
        asked.append(True)
        return "tea"

    with pytest.raises(ConflictError) as error:
        create_home(tmp_path, origin="a", currencies=SEK, passphrase=ask)
    assert (error.value.code, asked) == ("home-exists", [])
    create_home(
        tmp_path / "y", origin="a", currencies=SEK, passphrase=ask, cost=CHEAPEST
    )
    assert asked == [True]


def test_nothing_is_left_of_a_home_that_failed(tmp_path: Path) -> None:
    """A failure on the way leaves the folder above as it was."""
    with pytest.raises(FormatError):
        create_home(tmp_path / "a", origin="a b", currencies=SEK, passphrase=None)
    with pytest.raises(ZeroDivisionError):
        create_home(
            tmp_path / "b",
            origin="a",
            currencies=SEK,
            passphrase=None,
            clock=lambda: 1 // 0,
        )
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_becomes_the_home(tmp_path: Path) -> None:
    """A folder made for the purpose, with its owner and mode, may be used."""
    (tmp_path / "home").mkdir()
    create_home(tmp_path / "home", origin="a", currencies=SEK, passphrase=None)
    assert (tmp_path / "home" / "ledger.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize(
    ("codes", "rules"),
    [
        (["SEK"], {"SEK": 2}),
        (["JPY", "SEK"], {"JPY": 0, "SEK": 2}),
        (["SEK", "KWD"], {"KWD": 3, "SEK": 2}),
        (["RSD=2"], {"RSD": 2}),
        (["XAU=6"], {"XAU": 6}),
    ],
)
def test_currencies_have_their_decimals(
    codes: list[str], rules: dict[str, int]
) -> None:
    """Decimals come from the table, or are said."""
    assert {rule.code: rule.exponent for rule in currency_rules(codes)} == rules


@pytest.mark.parametrize(
    "codes",
    [["sek"], ["XXZ"], [""], ["SEK", "SEK"], ["SEK=2", "SEK=3"], ["SEK=7"], ["SE=2"]],
)
def test_what_is_no_currency_is_refused(codes: list[str]) -> None:
    """An unknown code, a doubled one, decimals beyond the micro-unit."""
    with pytest.raises(InputError):
        currency_rules(codes)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """Only folders of this home, and only once their process no longer runs."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead = process.pid
    gone = [f".home.partial-{dead}", f".home.gone-{dead}"]
    kept = [
        f".home.partial-{os.getppid()}",
        ".home.partial-1",
        f".other.partial-{dead}",
        f".home.partial-{dead}x",
        f".homes.gone-{dead}",
    ]
    for name in [*gone, *kept]:
        (tmp_path / name / "keys").mkdir(parents=True)
    create_home(tmp_path / "home", origin="a", currencies=SEK, passphrase=None)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted(["home", *kept])
