"""Reading of manifests: everything that the event signed is recomputed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec
import pytest

from ledger.entry import canonical
from ledger.entry.manifest import Built
from ledger.entry.manifest import Line
from ledger.entry.manifest import ManifestBuilder
from ledger.entry.manifest import line_of_leaf
from ledger.entry.manifest import plain_leaf
from ledger.entry.manifest import read_bundles
from ledger.entry.manifest import read_manifest
from ledger.entry.manifest import sealed_leaf
from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.errors import UnverifiableError
from ledger.errors import VerificationError
from ledger.tlog.tiles import format_bundle
from tests.entry.manifest.make import MANIFEST_KEY
from tests.entry.manifest.make import Manifest
from tests.entry.manifest.make import lines
from tests.entry.manifest.make import make_manifest
from tests.entry.mutate import mutate

LINE_TAG = b"linernote/line/v1\n"


def read(manifest: Manifest, signed: Built | None = None) -> list[Line]:
    """Read all of a manifest, by what its event says of it."""
    says = signed or manifest.signed()
    return list(read_manifest(manifest.bundles, manifest.header, says))


def refused(manifest: Manifest, signed: Built | None = None) -> VerificationError:
    """The error that reading ends with."""
    with pytest.raises(VerificationError) as caught:
        read(manifest, signed)
    return caught.value


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("count", [0, 1, 254, 255, 256, 511, 512, 800])
def test_what_was_built_is_read(count: int, *, sealed: bool) -> None:
    """Builder and reader agree on lines, root and totals at every bundle edge."""
    content = lines(count)
    manifest = make_manifest(content, sealed=sealed)
    bundles: list[bytes] = []
    builder = ManifestBuilder(
        manifest.header,
        MANIFEST_KEY if sealed else None,
        ["gross"],
        lambda _, leaves: bundles.append(format_bundle(leaves)),
    )
    builder.add_many(content)
    built = builder.finish()
    assert list(read_manifest(bundles, manifest.header, built)) == content
    assert bundles == manifest.bundles


def test_bundles_are_read_one_at_a_time() -> None:
    """Memory holds one bundle, since no bundle is asked for before its time."""
    manifest = make_manifest(lines(600))
    asked: list[int] = []

    def ask() -> Iterator[bytes]:
        for index, bundle in enumerate(manifest.bundles):
            asked.append(index)
            yield bundle

    reader = read_bundles(ask(), manifest.header, manifest.signed())
    assert len(next(reader)) == 255
    assert asked == [0]
    assert [len(part) for part in reader] == [256, 89]


@pytest.mark.parametrize(
    "fields",
    [
        {"author": bytes(16)},
        {"id": bytes(16)},
        {"kind": "dataset/others"},
        {"log": bytes(32)},
        {"order": "external/party"},
        {"order": ""},
        {"sealed": True},
    ],
    ids=repr,
)
def test_the_root_of_another_event_is_not_this_ones(fields: dict[str, object]) -> None:
    """A root that was borrowed has the header of whoever built it."""
    manifest = make_manifest(lines(3))
    borrower = msgspec.structs.replace(manifest.header, **fields)
    with pytest.raises(VerificationError) as caught:
        list(read_manifest(manifest.bundles, borrower, manifest.signed()))
    assert caught.value.code == "manifest-header-mismatch"


@pytest.mark.parametrize("count", [0, 1, 254, 255, 256, 510])
@pytest.mark.parametrize("more", [-1, 1, 255, 256, 1_000])
def test_another_count_is_noticed(count: int, more: int) -> None:
    """An event that says more or fewer lines than there are is refused."""
    if count + more < 0:
        return
    manifest = make_manifest(lines(count))
    signed = msgspec.structs.replace(manifest.signed(), lines=count + more)
    with pytest.raises(LedgerError) as caught:
        read(manifest, signed)
    # Where the bundles that there are would be full, the others are just missing.
    full = (count + 1) % 256 == 0 and more > 0
    missing = "manifest-lines-missing" if full else "manifest-count-mismatch"
    assert caught.value.code == missing
    assert isinstance(caught.value, UnverifiableError if full else VerificationError)


def test_missing_bundles_are_no_failure_of_the_log() -> None:
    """What is not there can't be verified, which is another thing than wrong."""
    manifest = make_manifest(lines(600))
    for have in range(3):
        reader = read_manifest(
            manifest.bundles[:have], manifest.header, manifest.signed()
        )
        with pytest.raises(UnverifiableError) as caught:
            list(reader)
        assert caught.value.code == "manifest-lines-missing"


def test_bundles_beyond_the_count_are_refused() -> None:
    """More than what was signed is not part of it."""
    more = format_bundle([plain_leaf({"external": "z:1"})])
    for count, extra in ((511, more), (511, b""), (300, more), (300, b"")):
        manifest = make_manifest(lines(count))
        bundles = [*manifest.bundles, extra]
        with pytest.raises(VerificationError) as caught:
            list(read_manifest(bundles, manifest.header, manifest.signed()))
        assert caught.value.code == "manifest-count-mismatch"


@pytest.mark.parametrize("cut", [1, 2, 100])
def test_damaged_bundles_are_refused(cut: int) -> None:
    """A bundle cut short, or with more behind it, is not the bundle."""
    manifest = make_manifest(lines(300))
    first, last = manifest.bundles
    for bundles in ([first, last[:-cut]], [first, last + bytes(cut)], [last, first]):
        with pytest.raises(VerificationError) as caught:
            list(read_manifest(bundles, manifest.header, manifest.signed()))
        assert caught.value.code == "manifest-count-mismatch"


@pytest.mark.parametrize("at", [1, 100, 255, 256, 299, 300])
def test_a_changed_line_changes_the_root(at: int) -> None:
    """A line that is as good as the true one, but not it, is refused at the end."""
    manifest = make_manifest(lines(300))
    signed = manifest.signed()
    line = line_of_leaf(manifest.leaves[at], sealed=False)
    manifest.leaves[at] = plain_leaf({**line, "gross": 10**9})
    assert refused(manifest, signed).code == "manifest-root-mismatch"


def test_another_root_is_refused() -> None:
    """Nothing but the signed root is the root."""
    manifest = make_manifest(lines(3))
    signed = msgspec.structs.replace(manifest.signed(), root=bytes(32))
    assert refused(manifest, signed).code == "manifest-root-mismatch"


def test_another_salt_changes_the_root() -> None:
    """In a sealed manifest, salts are part of what was signed."""
    manifest = make_manifest(lines(3), sealed=True)
    signed = manifest.signed()
    line = line_of_leaf(manifest.leaves[2], sealed=True)
    manifest.leaves[2] = sealed_leaf(bytes(16), line)
    assert refused(manifest, signed).code == "manifest-root-mismatch"


def test_totals_are_added_up_again() -> None:
    """Each total that the event gives has to be the sum of its field."""
    content = lines(300)
    gross = sum(number * 7_919 % 1_000 for number in range(300))
    manifest = make_manifest(content)
    assert read(manifest, manifest.signed(gross=gross, absent=0)) == content
    for totals in ({"gross": gross + 1}, {"gross": gross, "absent": 1}, {"fee": -1}):
        error = refused(manifest, manifest.signed(**totals))
        assert error.code == "manifest-totals-mismatch"
    assert refused(manifest, manifest.signed(external=0)).code == "bad-type"


@pytest.mark.parametrize(("one", "two"), [(1, 2), (254, 255), (255, 256), (1, 300)])
def test_lines_in_disorder_are_refused(one: int, two: int) -> None:
    """Disorder is found inside bundles and across them, whatever the root says."""
    manifest = make_manifest(lines(300))
    leaves = manifest.leaves
    leaves[one], leaves[two] = leaves[two], leaves[one]
    error = refused(manifest)
    assert error.code == "manifest-lines-unordered"
    assert str(error).startswith("line ")


@pytest.mark.parametrize("at", [1, 255, 299])
def test_doubled_lines_are_refused(at: int) -> None:
    """The same line twice is found inside bundles and across them."""
    manifest = make_manifest(lines(300))
    manifest.leaves[at + 1] = manifest.leaves[at]
    error = refused(manifest)
    assert error.code == "manifest-line-doubled"
    assert str(error).startswith(f"line {at + 1}: ")


BAD_LEAVES = {
    "another tag": (b"linernote/line/v2\n\x80", "bad-tag"),
    "sealed among plain": (sealed_leaf(bytes(16), {"external": "z"}), "bad-tag"),
    "nothing": (b"", "bad-tag"),
    "no line": (LINE_TAG, "not-canonical"),
    "no map": (LINE_TAG + b"\x90", "bad-type"),
    "trailing byte": (LINE_TAG + b"\x80\x00", "not-canonical"),
    "nil": (LINE_TAG + b"\x81\xa1a\xc0", "bad-type"),
    "float": (LINE_TAG + b"\x81\xa1a\xca\x00\x00\x00\x00", "bad-type"),
    "extension": (LINE_TAG + b"\x81\xa1a\xc7\x01\x00\x00", "bad-type"),
    "timestamp": (LINE_TAG + b"\x81\xa1a\xd6\xff\x00\x00\x00\x00", "bad-type"),
    "integer key": (LINE_TAG + b"\x81\x01\x01", "bad-type"),
    "integer key inside": (LINE_TAG + b"\x81\xa1a\x81\x01\x01", "bad-type"),
    "disorder inside": (
        LINE_TAG + b"\x81\xa1a\x82\xa1b\x01\xa1a\x01",
        "not-canonical",
    ),
    "long integer": (LINE_TAG + b"\x81\xa1a\xcc\x01", "not-canonical"),
    "2**63": (LINE_TAG + b"\x81\xa1a\xcf\x80" + bytes(7), "bad-integer"),
    "doubled field": (LINE_TAG + b"\x82\xa1a\x01\xa1a\x01", "not-canonical"),
    "disorder": (LINE_TAG + b"\x82\xa1b\x01\xa1a\x01", "not-canonical"),
    "bad UTF-8": (LINE_TAG + b"\x81\xa1a\xa1\xff", "bad-string"),
    "bad UTF-8 in a name": (LINE_TAG + b"\x81\xa1\xff\x01", "bad-string"),
    "a bomb": (LINE_TAG + b"\x81\xa1a" * 20_000, "too-deep"),
    "17 deep": (LINE_TAG + b"\x81\xa1a" * 16 + b"\x80", "too-deep"),
}


@pytest.mark.parametrize("at", [1, 130, 256, 300])
@pytest.mark.parametrize(("leaf", "code"), BAD_LEAVES.values(), ids=BAD_LEAVES)
def test_bad_leaves_are_refused_by_number(leaf: bytes, code: str, at: int) -> None:
    """A leaf out of form is named, even though the signed root covers it."""
    manifest = make_manifest(lines(300), "")
    manifest.leaves[at] = leaf
    error = refused(manifest)
    assert error.code == code
    assert str(error).startswith(f"line {at}: ")


def test_the_header_has_to_come_first() -> None:
    """A tree whose leaf 0 is a line is no manifest."""
    manifest = make_manifest(lines(3))
    manifest.leaves[0] = plain_leaf({"external": "a:0"})
    assert refused(manifest).code == "manifest-header-mismatch"


def test_damaged_lines_get_the_verdict_of_the_strict_decoder() -> None:
    """10,000 damaged lines: many at once are read as each alone would be."""
    source = random.Random(20_261_125)
    works: canonical.Value = [[b"w", 500_000], [b"x", 500_000]]
    seeds = [
        canonical.encode({"external": "demo:1", "ms": 180_000, "order": ""}),
        canonical.encode({"external": "é", "party": bytes(4), "works": works}),
    ]
    accepted = 0
    for _ in range(10_000):
        leaf = LINE_TAG + mutate(source.choice(seeds), source)
        manifest = make_manifest([], "")
        manifest.leaves += [plain_leaf({"external": "demo:0"}), leaf]
        expected = _verdict(leaf)
        accepted += expected == "good"
        assert _read_verdict(manifest) == expected, leaf.hex()
    assert accepted > 500


def _read_verdict(manifest: Manifest) -> str:
    try:
        read(manifest)
    except VerificationError as error:
        return error.code
    return "good"


def _verdict(leaf: bytes) -> str:
    try:
        line_of_leaf(leaf, sealed=False)
    except FormatError as error:
        return error.code
    return "good"
