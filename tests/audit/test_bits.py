"""No bit of a log can be flipped unseen, in the store or in the public folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ledger.audit import files
from ledger.audit.report import Report
from ledger.audit.spool import HashSpool
from ledger.audit.tree import VerifiedTree
from ledger.audit.verifying import FailedEntryError
from ledger.audit.verifying import verified_batches
from ledger.tlog.merkle import leaf_hash
from tests.audit.logs import Published
from tests.audit.logs import codes

EXAMPLES = int(os.environ.get("LINERNOTE_EXAMPLES", "1"))


def flips(data: bytes, every: int = 1) -> Iterator[bytes]:
    """Give data with one bit flipped, for each `every`-th bit."""
    for bit in range(0, 8 * len(data), every):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def step(bits: int) -> int:
    """Pass over most bits, unless every one is asked for."""
    return bits if EXAMPLES == 1 else 1


def verified_root(leaves: list[bytes]) -> bytes:
    """Verify bytes, chain and signatures; give the root of the tree."""
    spool = HashSpool()
    with spool:
        tree = VerifiedTree(spool)
        given = verified_batches(
            lambda start, stop: leaves[start:stop], len(leaves), None
        )
        for batch in given:
            tree.extend(batch.leaf_hashes)
        return tree.root()


def test_every_bit_of_an_entry_counts(small_log: Published) -> None:
    """A flipped bit breaks form, chain or signature, or gives another root."""
    leaves = small_log.leaves()[:2]
    right = verified_root(leaves)
    for index, entry in enumerate(leaves):
        unbroken = 0
        for flipped in flips(entry):
            changed = [*leaves[:index], flipped, *leaves[index + 1 :]]
            try:
                root = verified_root(changed)
            except FailedEntryError as error:
                found = error.index
            else:
                found, unbroken = index, unbroken + (root != right)
            assert found in {index, index + 1}
        # Only the newest entry can change without breaking a chain: in its time.
        assert (unbroken > 0) == (index == len(leaves) - 1)


def test_an_audit_finds_a_flipped_bit_of_an_entry(small: Published) -> None:
    """The audit fails for a bit anywhere in any entry, and names the entry."""
    leaves = small.leaves()
    for index, entry in enumerate(leaves):
        for flipped in flips(entry, step(127)):
            small.put_leaves([*leaves[:index], flipped, *leaves[index + 1 :]])
            report = small.audit()
            assert report.exit_code == 4
            (found, *_) = report.problems
            assert found.index in {index, index + 1, -1}


def test_an_audit_finds_the_newest_entry_changed(small: Published) -> None:
    """A later time of the last entry breaks no chain, but the checkpoint's root."""
    leaves = small.leaves()
    tail = bytearray(leaves[-1])
    tail[-1] ^= 1
    small.put_leaves([*leaves[:-1], bytes(tail)])
    assert codes(small.audit())[0] == "root-mismatch"


def test_every_byte_of_a_tile_or_bundle_counts(small: Published) -> None:
    """A flipped bit in a file of the log's own tree is found."""
    with HashSpool() as spool:
        tree = VerifiedTree(spool)
        tree.extend(list(map(leaf_hash, small.leaves())))
        for name, check in [
            ("tile/0/000.p/3", files._check_tile),
            ("tile/entries/000.p/3", files._check_bundle),
        ]:
            path = small.public / name
            for flipped in flips(path.read_bytes(), step(7)):
                report = Report(size=tree.size, root=tree.root())
                path.write_bytes(flipped)
                check(path, name, tree, report)
                assert len(report.problems) == 1


def test_every_byte_of_a_manifest_file_counts(small: Published) -> None:
    """A flipped bit in a tile or bundle of a manifest is found."""
    (folder,) = (small.public / "manifest").iterdir()
    name, root = f"manifest/{folder.name}/", bytes.fromhex(folder.name)
    for inner in ("tile/0/000.p/4", "tile/entries/000.p/4"):
        path = folder / inner
        data = path.read_bytes()
        for flipped in flips(data, step(7)):
            report = Report(size=0, root=bytes(32))
            path.write_bytes(flipped)
            files._check_manifest_folder(small.public, name, root, 4, report)
            assert len(report.problems) == 1
        path.write_bytes(data)


def test_an_audit_finds_a_flipped_bit_of_a_public_file(small: Published) -> None:
    """The audit fails for a bit in any file that is served."""
    for path in sorted(p for p in small.public.rglob("*") if p.is_file()):
        data = path.read_bytes()
        for flipped in flips(data, step(397)):
            path.write_bytes(flipped)
            assert small.audit().exit_code == 4, path
        path.write_bytes(data)
    assert small.audit().exit_code == 0


def test_the_checkpoint_is_signed_whole(small: Published) -> None:
    """A flipped bit in the stored checkpoint is found, even with its copy changed."""
    path = small.public / "checkpoint"
    data = path.read_bytes()
    for flipped in flips(data, step(23)):
        small.store._checkpoint[""] = flipped.decode("utf-8", "surrogateescape")
        path.write_bytes(flipped)
        assert small.audit().exit_code == 4


def test_an_audit_finds_a_flipped_bit_of_a_line(small: Published) -> None:
    """A bit of any line in the store ends the full book, whatever it says then."""
    ((root, number),) = small.store._bundles
    data, hashes = small.store._bundles[root, number]
    for flipped in flips(data, step(19)):
        small.store._bundles[root, number] = (flipped, hashes)
        report = small.audit()
        assert report.exit_code == 4
        assert codes(report)[0] in {"manifest-root-mismatch", "manifest-count-mismatch"}
        assert report.full_digest is None
        assert report.state_digest is not None
