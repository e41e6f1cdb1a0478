"""Lines that are missing or altered end the full book, and only that."""

from __future__ import annotations

from ledger.tlog.tiles import format_bundle
from ledger.tlog.tiles import parse_bundle
from tests.audit.logs import Published
from tests.audit.logs import codes


def test_missing_lines_are_no_pass(log: Published) -> None:
    """Without some lines the audit exits 5: the general ledger alone was replayed."""
    whole = log.audit()
    for root, number in list(log.store._bundles):
        kept = log.store._bundles.pop((root, number))
        report = log.audit()
        assert (report.ok, report.exit_code) == (True, 5)
        assert report.full_digest is None
        assert report.state_digest == whole.state_digest
        assert [found.acknowledged for found in report.problems] == [35]
        (said,) = report.missing
        assert root.hex() in said
        assert "the full book stops there" in said
        log.store._bundles[root, number] = kept


def reordered(data: bytes, hashes: bytes) -> bytes:
    """Give a bundle with its first line last."""
    header, first, *rest = parse_bundle(data, len(hashes) // 32)
    return format_bundle([header, *rest, first])


def test_altered_lines_cannot_be_acknowledged_away(log: Published) -> None:
    """Lines that were not signed are the store's fault, whatever rule they break."""
    changed = 0
    for (root, number), (data, hashes) in list(log.store._bundles.items()):
        altered = reordered(data, hashes)
        if altered == data:
            continue
        log.store._bundles[root, number] = (altered, hashes)
        report = log.audit()
        assert "manifest-root-mismatch" in codes(report)
        assert (report.exit_code, report.full_digest) == (4, None)
        assert report.state_digest is not None
        log.store._bundles[root, number] = (data, hashes)
        changed += 1
    assert changed > 5


def test_altered_lines_of_a_right_form_are_found(small: Published) -> None:
    """A line that no rule has anything against still gives another root."""
    ((root, number),) = small.store._bundles
    data, hashes = small.store._bundles[root, number]
    header, first, *rest = parse_bundle(data, 4)
    changed = first.replace(b"demo:p000", b"demo:p00x")
    assert changed != first
    bundle = format_bundle([header, changed, *rest])
    small.store._bundles[root, number] = (bundle, hashes)
    assert codes(small.audit()) == ["manifest-root-mismatch"]
