"""A table of shares beside a catalogue has the last word on what it names."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ledger.imports import SharesFile
from ledger.imports import read_catalogue
from tests.imports.files import party_of
from tests.imports.files import refused
from tests.imports.files import write
from tests.imports.label import LABEL
from tests.imports.label import check_manifests
from tests.imports.label import label

read = partial(read_catalogue, party_of=party_of)


def test_shares_beside_the_catalogue_take_precedence(tmp_path: Path) -> None:
    """Told on purpose beats the default, side by side; works have tables as well."""
    path = label(tmp_path, "1,,,,,ada", "2,,,,,ada")
    shares = write(
        tmp_path,
        "subject,side,external,percent,role\n"
        "label:2,master,people:bob,60,artist\n"
        "iswc:T1,composition,people:cy,100,writer\n"
        "label:2,master,people:ada,40,label\n",
        "shares.csv",
    )
    catalogue = read(path, LABEL, shares=SharesFile(shares))
    ada, bob, cy = map(party_of, ("people:ada", "people:bob", "people:cy"))
    lines = [(e.subject, e.side, e.party, e.ppm, e.role) for e in catalogue.shares()]
    assert lines == [
        ("iswc:T1", "composition", cy, 1_000_000, "writer"),
        ("label:1", "master", ada, 1_000_000, "owner"),
        ("label:2", "master", bob, 600_000, "artist"),
        ("label:2", "master", ada, 400_000, "label"),
    ]
    assert catalogue.counts == (2, 2, 3, 4)
    check_manifests(catalogue)


@pytest.mark.parametrize(
    "bad",
    [
        "label:2,master,people:bob,60,artist\n",
        "label:2,master,people:bob,150,artist\n",
        "label:2,master,p b,100,artist\n",
    ],
)
def test_a_bad_table_never_falls_back_on_the_default(tmp_path: Path, bad: str) -> None:
    """Who was told about and got lost must not lose the side to the artist."""
    path = label(tmp_path, "1,,,,,ada", "2,,,,,ada")
    good = "iswc:T1,composition,people:cy,100,writer\n"
    header = "subject,side,external,percent,role\n"
    shares = write(tmp_path, header + bad + good, "shares.csv")
    refused("rows-refused", lambda: read(path, LABEL, shares=SharesFile(shares)))
    catalogue = read(path, LABEL, shares=SharesFile(shares), skip_bad=True)
    subjects = {share.subject for share in catalogue.shares()}
    assert subjects == {"iswc:T1", "label:1"}
    assert len(catalogue.shares_rejected) == 1
    assert len(catalogue.rejected) == 0


def test_each_file_has_its_own_rejected_rows(tmp_path: Path) -> None:
    """Rows of shares go where the caller said, and rows of the catalogue elsewhere."""
    path = label(tmp_path, "1,,,,,ada", ",,,,,ada")
    text = "subject,side,external,ppm\na:1,master,p:x,1\na:2,master,p:x,1000000\n"
    aside = SharesFile(
        write(tmp_path, text, "shares.csv"), reject_to=tmp_path / "shares-rejected.csv"
    )
    rejected = tmp_path / "rejected.csv"
    read(path, LABEL, shares=aside, reject_to=rejected, skip_bad=True)
    assert "id-missing" in rejected.read_text()
    assert "shares-not-whole" in (tmp_path / "shares-rejected.csv").read_text()
