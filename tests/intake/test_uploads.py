"""Lines ahead of their event: whole and verified, or not kept at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.anchor import VARIABLE
from ledger.entry.manifest import Header
from ledger.entry.manifest import Line
from ledger.entry.sign import SignedEvent
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.home import Home
from ledger.intake import Intake
from ledger.log import Appended
from ledger.staging import Staged
from ledger.staging import StagedLines
from ledger.uploads import LEAST_BYTES
from ledger.uploads import UNUSED_SECONDS
from ledger.uploads import Uploads
from ledger.writer import Writer
from tests.intake.places import Speaker
from tests.intake.places import found
from tests.intake.places import log_key

LOG = b"l" * 32


def sent(count: int, log: bytes = LOG) -> tuple[bytes, bytes]:
    """Build a manifest; give its root, and its leaves as they are sent."""
    header = Header(bytes(16), bytes(16), "run.open/dataset", log, "external")
    with Staged() as staged:
        lines: list[Line] = [{"external": f"demo:{n:06d}"} for n in range(count)]
        root = staged.build(header, lines).root
        return root, b"".join(staged.bundles(root))


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[Uploads]:
    kept = Uploads(tmp_path, LOG)
    yield kept
    kept.close()


@pytest.mark.parametrize("count", [1, 254, 255, 256, 600])
def test_lines_come_out_as_bundles(uploads: Uploads, count: int) -> None:
    """Whatever the size, what is read is what was sent, in bundles of 256."""
    root, data = sent(count)
    taken = uploads.take(root, BytesIO(data), len(data))
    assert (taken.lines, taken.repeated) == (count, False)
    assert root in uploads
    bundles = list(uploads.bundles(root))
    assert b"".join(bundles) == data
    assert len(bundles) == (count + 256) // 256


def test_again_is_harmless(uploads: Uploads, tmp_path: Path) -> None:
    """Sent again, nothing is even read."""
    root, data = sent(300)
    uploads.take(root, BytesIO(data), len(data))
    assert uploads.take(root, BytesIO(b""), len(data)) == (300, True)
    assert len(uploads) == 1
    assert list(tmp_path.iterdir()) == []  # its file has no name


def test_the_same_lines_from_many_are_kept_once(uploads: Uploads) -> None:
    """Whoever is first keeps them, and nothing stays reserved for the others."""
    root, data = sent(2_000)
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(uploads.take, root, BytesIO(data), len(data)) for _ in range(8)
        ]
        taken = [job.result() for job in jobs]
    assert sum(not each.repeated for each in taken) == 1
    assert len(uploads) == 1
    assert not uploads._coming


def refused(uploads: Uploads, root: bytes, data: bytes) -> str:
    with pytest.raises(LedgerError) as error:
        uploads.take(root, BytesIO(data), len(data))
    assert len(uploads) == 0
    assert not uploads._coming
    return error.value.code


def test_other_lines_are_not_kept(uploads: Uploads) -> None:
    """Altered, cut off or empty: nothing of it stays."""
    root, data = sent(300)
    altered = data[:-1] + bytes([data[-1] ^ 1])
    assert refused(uploads, root, altered) == "manifest-root-mismatch"
    assert refused(uploads, root, data[:-1]) == "bad-bundle"
    assert refused(uploads, root, b"") == "bad-bundle"
    assert refused(uploads, root, data + b"\0") == "bad-bundle"
    assert refused(uploads, root, data + b"\0\0") == "bad-tag"
    line = b"\0\x14linernote/line/v1\n\x80"
    assert refused(uploads, root, data + line) in {"bad-bundle", "bad-tag"}
    assert (
        refused(uploads, root, data + b"\0\x13" + line[2:]) == "manifest-root-mismatch"
    )
    other, lines = sent(300, log=b"o" * 32)
    assert refused(uploads, other, lines) == "wrong-log"


@given(st.binary(max_size=400))
def test_no_bytes_are_more_than_refused(data: bytes) -> None:
    """Random bytes are refused with a code, and never anything else."""
    uploads = Uploads(Path("/tmp"), LOG)
    refused(uploads, bytes(32), data)


def test_a_body_shorter_than_said_is_refused(uploads: Uploads) -> None:
    """A stream that ends before its length is no manifest."""
    root, data = sent(10)
    with pytest.raises(InputError):
        uploads.take(root, BytesIO(data), len(data) + 100)
    assert root not in uploads


def keep(uploads: Uploads, count: int, sender: str = "") -> bytes:
    """Send so many lines; give their root."""
    root, data = sent(count)
    uploads.take(root, BytesIO(data), len(data), sender)
    return root


def kept(uploads: Uploads, *roots: bytes) -> list[bool]:
    """Tell which manifests are there still."""
    return [root in uploads for root in roots]


def test_one_manifest_has_a_bound(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is larger than a manifest may be is refused, whatever room there is."""
    root, data = sent(10)
    monkeypatch.setattr("ledger.uploads.MANIFEST_BYTES_MAX", len(data) - 1)
    assert refused(uploads, root, data) == "too-large"


def test_nobody_keeps_others_out(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends ever more loses what he sent first, and nobody else loses any."""
    monkeypatch.setattr("ledger.uploads.TOTAL_BYTES_MAX", 4 * LEAST_BYTES)
    honest = keep(uploads, 1, "honest")
    first, *rest = [keep(uploads, 2 + n, "hostile") for n in range(4)]
    assert kept(uploads, honest, first, *rest) == [True, False, True, True, True]
    other = keep(uploads, 9, "other")
    assert kept(uploads, honest, other, *rest) == [True, True, False, True, True]
    monkeypatch.setattr("ledger.uploads.LEAST_BYTES", 0)
    monkeypatch.setattr("ledger.uploads.TOTAL_BYTES_MAX", 100_000)
    large = keep(uploads, 2_000, "hostile")  # what counts is bytes, not their number
    assert kept(uploads, honest, other, large) == [True, True, True]
    huge = keep(uploads, 2_001, "hostile")
    assert kept(uploads, honest, other, large, huge) == [True, True, False, True]


def test_what_is_sent_again_is_as_good_as_new(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one sender, as behind a proxy, those lines go that were longest of no use."""
    monkeypatch.setattr("ledger.uploads.TOTAL_BYTES_MAX", 2 * LEAST_BYTES)
    first, second = keep(uploads, 1), keep(uploads, 2)
    keep(uploads, 1)
    third = keep(uploads, 3)
    assert kept(uploads, first, second, third) == [True, False, True]


def test_what_is_being_appended_is_never_dropped(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others go for it, or nobody does; afterwards it is one like any other."""
    monkeypatch.setattr("ledger.uploads.TOTAL_BYTES_MAX", 2 * LEAST_BYTES)
    needed, other = keep(uploads, 1), keep(uploads, 2)
    with uploads.held([needed]):
        third = keep(uploads, 3)
        assert kept(uploads, needed, other, third) == [True, False, True]
        assert list(uploads.bundles(needed))
    with uploads.held([needed, third]), pytest.raises(HomeError) as full:
        keep(uploads, 4)
    assert full.value.code == "staging-full"
    assert kept(uploads, needed, third, keep(uploads, 4)) == [False, True, True]


def test_the_intake_holds_what_it_appends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is sent while an event is appended, its lines go in with it."""
    town = found(tmp_path)
    monkeypatch.setenv(VARIABLE, str(town.anchors))
    monkeypatch.setattr("ledger.uploads.TOTAL_BYTES_MAX", 2 * LEAST_BYTES)
    with (
        Staged() as staged,
        Writer(Home(town.home)) as writer,
        Intake(writer, [log_key(town)]) as intake,
    ):
        event = Speaker(town, "operator").parties(staged, 3)
        (needed,) = staged._spans
        data = b"".join(staged.bundles(needed))
        intake.uploads.take(needed, BytesIO(data), len(data))
        append = writer.log.append

        def crowded(
            events: Sequence[SignedEvent], lines: StagedLines, *, atomic: bool
        ) -> list[Appended | LedgerError]:
            for count in (1, 2, 3):
                root, others = sent(count, log=writer.identity.log)
                intake.uploads.take(root, BytesIO(others), len(others))
            return append(events, lines, atomic=atomic)

        monkeypatch.setattr(writer.log, "append", crowded)
        spoilt = SignedEvent(b"\x80", bytes(64))
        refusal, said = intake.append([spoilt, event])
        assert isinstance(refusal, LedgerError)
        assert isinstance(said, Appended), said


def test_the_disk_keeps_half_of_what_is_free(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines leave room for the log itself, however many come."""
    _, data = sent(100)
    free = 3 * len(data)

    def usage(_: Path) -> object:
        lying = sum(each.claim.bytes for each in uploads._kept.values())
        return SimpleNamespace(free=free - lying)

    monkeypatch.setattr("shutil.disk_usage", usage)
    monkeypatch.setattr("ledger.uploads.LEAST_BYTES", 0)
    first, second = keep(uploads, 100), keep(uploads, 99)
    assert kept(uploads, first, second) == [False, True]
    with pytest.raises(HomeError):
        keep(uploads, 200)  # nothing is dropped for what has no room anyway
    with pytest.raises(HomeError):  # to whoever wants most, nobody gives way
        keep(uploads, 101, "other")
    assert kept(uploads, second, keep(uploads, 98, "other")) == [False, True]


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lines cannot be written, the home refuses, and keeps nothing."""
    root, data = sent(10)
    with pytest.raises(HomeError) as gone:
        Uploads(tmp_path / "none", LOG).take(root, BytesIO(data), len(data))
    assert gone.value.code == "staging-failed"

    class Full(BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    uploads = Uploads(tmp_path, LOG)
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    assert refused(uploads, root, data) == "staging-failed"


def test_what_nobody_uses_goes(tmp_path: Path) -> None:
    """After an hour lines whose event never came are dropped."""
    now = [0.0]
    uploads = Uploads(tmp_path, LOG, clock=lambda: now[0])
    root, data = sent(3)
    uploads.take(root, BytesIO(data), len(data))
    now[0] = UNUSED_SECONDS
    uploads.expire()
    assert root in uploads
    now[0] += 1
    uploads.expire()
    assert root not in uploads
    with pytest.raises(UnverifiableError):
        next(uploads.bundles(root))
