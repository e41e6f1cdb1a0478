"""Lines ahead of their event: whole and verified, or not kept at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.entry.manifest import Header
from ledger.entry.manifest import Line
from ledger.errors import HomeError
from ledger.errors import InputError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.staging import Staged
from ledger.uploads import UNUSED_SECONDS
from ledger.uploads import Uploads

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
    assert uploads._coming == {"bytes": 0, "manifests": 0}


def refused(uploads: Uploads, root: bytes, data: bytes) -> str:
    with pytest.raises(LedgerError) as error:
        uploads.take(root, BytesIO(data), len(data))
    assert len(uploads) == 0
    assert uploads._coming == {"bytes": 0, "manifests": 0}
    return error.value.code


def test_other_lines_are_not_kept(uploads: Uploads) -> None:
    """Altered, cut off or empty: nothing of it stays."""
    root, data = sent(300)
    altered = data[:-1] + bytes([data[-1] ^ 1])
    assert refused(uploads, root, altered) == "manifest-root-mismatch"
    assert refused(uploads, root, data[:-1]) == "bad-bundle"
    assert refused(uploads, root, b"") == "bad-bundle"
    assert refused(uploads, root, data + b"\0") == "bad-bundle"
    assert refused(uploads, root, data + b"\0\0") == "manifest-root-mismatch"
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


def test_there_is_room_for_so_much(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One manifest, all of them together, and their number have bounds."""
    root, data = sent(10)
    monkeypatch.setattr("ledger.uploads.MANIFEST_BYTES_MAX", len(data) - 1)
    assert refused(uploads, root, data) == "too-large"
    monkeypatch.setattr("ledger.uploads.MANIFEST_BYTES_MAX", len(data))
    monkeypatch.setattr("ledger.uploads.TOTAL_BYTES_MAX", len(data))
    uploads.take(root, BytesIO(data), len(data))
    other, lines = sent(1)
    with pytest.raises(HomeError) as full:
        uploads.take(other, BytesIO(lines), len(lines))
    assert full.value.code == "staging-full"
    monkeypatch.setattr("ledger.uploads.TOTAL_BYTES_MAX", 1 << 20)
    monkeypatch.setattr("ledger.uploads.MANIFESTS_MAX", 1)
    with pytest.raises(HomeError):
        uploads.take(other, BytesIO(lines), len(lines))
    uploads.drop([root])
    assert not uploads.take(other, BytesIO(lines), len(lines)).repeated


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
