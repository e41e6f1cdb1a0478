"""The stand-alone verifier: what it accepts, what it finds, how it answers.

The public folders are those of the log vectors. `tests/test_vectors.py` holds its
functions against the library, case by case.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.entry.canonical import decode
from ledger.entry.canonical import encode_trusted
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.note import format_vkey
from ledger.tlog.note import make_vkey
from tests.readers import folders
from tests.readers import verifier
from tests.readers.verifier import Run
from tests.replay.making import signing_key
from tools import verify
from tools.vectors import trees

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tools" / "verify.py"


LOGS = sorted(folders.VECTORS.glob("log/*.json"))
LOG = folders.load("log/everything.json")
VKEY: str = folders.load("log/world.json")["vkey"]


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """The public folder of a log that says everything."""
    return folders.folder_of(LOG, tmp_path / "public")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program on a path; give its exit code and document."""
    return lambda path, vkey=VKEY: verifier.run(path, vkey, capsys)


def codes(document: Any) -> set[str]:  # noqa: ANN401 (a JSON document)
    """The codes of what did not pass."""
    return {note["code"] for note in document["notes"] if note["status"]}


# ── what it accepts ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_an_honest_log_passes(path: Path, tmp_path: Path, run: Run) -> None:
    """Every log of the vectors passes whole, and its counts are those of its files."""
    vector = folders.load(f"log/{path.name}")
    folder = folders.folder_of(vector, tmp_path / "public")
    code, document = run(folder)
    assert (code, codes(document)) == (0, set())
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert document["checked"]["tiles and bundles"] == len(files) - 1
    assert document["checked"]["entries and signatures"] == len(vector["leaves"])


def test_an_acknowledged_problem_is_told_and_passes(public: Path, run: Run) -> None:
    """What the operator has acknowledged is shown, without failing the log."""
    _, document = run(public)
    ((index, code, _, _),) = LOG["problems"]
    (note,) = document["notes"]
    assert (note["where"], note["code"], note["status"]) == (index, code, 0)


def test_a_problem_without_acknowledgement_fails(tmp_path: Path, run: Run) -> None:
    """The same log up to before the acknowledgement is refused for the problem."""
    ((_, problem, _, acknowledged),) = LOG["problems"]
    leaves = [bytes.fromhex(leaf) for leaf in LOG["leaves"][:acknowledged]]
    brought = {
        root: bundles
        for root, bundles in LOG["manifests"].items()
        if any(bytes.fromhex(root) in leaf for leaf in leaves)
    }
    code, document = run(folders.publish(tmp_path, leaves, brought))
    assert (code, codes(document)) == (4, {problem})


def test_credits_are_the_sums_of_lines(tmp_path: Path, run: Run) -> None:
    """Each party's credit is the net of its lines, as the library counts it."""
    folder = folders.folder_of(folders.load("log/shared-out.json"), tmp_path / "public")
    _, document = run(folder)
    net: dict[str, int] = {}
    for bundles in folders.load("log/shared-out.json")["manifests"].values():
        for leaf in map(bytes.fromhex, folders.leaves_of(bundles)[1:]):
            line: Any = decode(leaf[len(verify.LINE_TAG) :])
            if line.get("net"):
                who = f"µSEK to {line['party'].hex()}"
                net[who] = net.get(who, 0) + line["net"]
    assert net
    credited = {who: n for who, n in document["credited"].items() if n}
    assert credited == net


def test_tiles_of_earlier_sizes_pass_if_they_are_its_beginning(
    public: Path, run: Run
) -> None:
    """Narrower tiles and bundles stay, and are checked like the newest ones."""
    leaves = [bytes.fromhex(leaf) for leaf in LOG["leaves"]]
    _, earlier = trees.files_of(leaves[:5])
    folders.write(public, earlier)
    code, document = run(public)
    assert (code, codes(document)) == (0, set())
    (public / "tile/0/000.p/5").write_bytes(bytes(160))
    code, document = run(public)
    assert (code, codes(document)) == (4, {"tile-mismatch"})


def test_a_proof_passes(tmp_path: Path, run: Run) -> None:
    """A proof needs nothing beside itself and the verifier key."""
    vector = folders.load("proof/entry-3-of-7.json")
    path = tmp_path / "entry-3.tlog-proof"
    path.write_text(vector["proof"], encoding="utf-8")
    code, document = run(path, vector["vkey"])
    assert (code, document["notes"]) == (0, [])


def test_it_runs_where_nothing_of_ours_is(public: Path, tmp_path: Path) -> None:
    """The one file, copied elsewhere, runs by itself and prints what it checked."""
    program = shutil.copy(PROGRAM, tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", program, public, "--vkey", VKEY],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(LOG['leaves'])} entries and signatures" in done.stdout
    assert "acknowledged: " in done.stdout


def test_it_stays_within_one_sitting() -> None:
    """At most 760 lines."""
    assert len(PROGRAM.read_text(encoding="utf-8").splitlines()) <= 760


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("x", "--vkey", "y"), 5, "needs PyNaCl and msgpack: pip install"),
        (("--help",), 0, "the log's verifier key"),
        ((), 2, "required: path, --vkey"),
    ],
)
def test_it_says_what_it_needs(words: tuple[str, ...], status: int, said: str) -> None:
    """Without its two libraries it names them and exits 5; --help needs neither."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", PROGRAM, *words],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == status
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_ends_with_what_held(
    public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line counts what was verified, and says what was not done."""
    assert verify.main([str(public), "--vkey", VKEY]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    count = len(LOG["leaves"])
    assert last.startswith(f"ok: {count} entries, {count} signatures, ")
    assert last.endswith(" lines; not replayed")


@pytest.mark.parametrize(("parties", "head"), [(3, 3), (25, 10)])
def test_credits_are_decimals_and_a_short_list(parties: int, head: int) -> None:
    """People see at most ten balances, as decimals, and how many there are."""
    report = verify.Report()
    for place in range(parties):
        report.credited[f"µSEK to {place:032x}"] = 1_234_560_001
    report.credited["µSEK to nobody"] = 0
    first, *rows = verify.summary(report, ok=True)
    assert first.lstrip().startswith(f"{parties} balances credited")
    assert ("--json has all" in first) == (parties > head)
    assert rows == [f"{'1,234.560001':>20} SEK to {n:032x}" for n in range(head)]


# ── what it finds ────────────────────────────────────────────────────────────


RULES = sorted(folders.VECTORS.glob("rule/*.json"))
SAME = {
    *("author-mismatch", "bad-endorsement", "bad-handover", "bad-predecessor"),
    *("bad-key-proof", "bad-line", "bad-manifest"),
    *(
        "bad-signature",
        "bad-type",
        "broken-key-chain",
        "distribution-lines",
        "distribution-total",
    ),
    *("event-time-ahead", "genesis-misplaced", "key-exists", "key-revoked"),
    *(
        "key-unknown",
        "last-log-key",
        "log-key-not-in-force",
        "manifest-header-mismatch",
        "manifest-line-doubled",
    ),
    *("manifest-lines-unordered", "manifest-root-reused", "manifest-totals-mismatch"),
    *("not-your-key", "out-of-sequence", "over-applied", "seen-unknown"),
    *("too-many-log-keys", "wrong-log", "wrong-purpose"),
}
"""Rules that it judges whatever the case, under the library's name."""
OTHER = {
    "already-reversed": {"not-reversible"},
    "bad-operator": {"author-mismatch"},
    "bad-origin": {"wrong-origin"},
    "genesis-key": {"author-mismatch", "genesis-key"},
    "id-conflict": {"id-reused"},
    "key-not-in-force": {"not-your-key"},
    "keys-not-distinct": {"key-exists", "wrong-origin"},
    "manifest-count-mismatch": {"file-missing", "not-canonical"},
    "manifest-lines-missing": {"file-missing", "bad-line"},
    "manifest-root-mismatch": {"manifest-root-mismatch", "manifest-lines-unordered"},
    "not-acknowledgeable": {"broken-key-chain"},
    "totals-not-whole": {"unbalanced", "distribution-lines"},
}
"""Rules that it judges whatever the case, under other names or in another order."""
SOME = {
    "bad-fields": {"bad-body", "bad-manifest", "not-your-key"},
    "currency-mismatch": {"distribution-total"},
    "due-unknown": {"over-applied"},
    "level-unknown": {"level-unknown"},
    "missing-role": {"missing-role"},
    "nothing-to-acknowledge": {"missing-role"},
    "party-exists": {"not-your-key"},
    "pool-closed": {"over-applied", "pool-closed"},
    "pool-unknown": {"distribution-total"},
}
"""Rules of which it judges some cases; the others, and all the rest, take a replay."""


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_log_that_took_in_what_its_rules_refuse(
    path: Path, tmp_path: Path, run: Run
) -> None:
    """It finds what it judges, under its name, and never blames anything else."""
    vector = folders.load(f"rule/{path.name}")
    vkey = format_vkey(make_vkey(*folders.signers_of(vector)[:2]))
    status, document = run(folders.smuggled(vector, tmp_path), vkey)
    rule = vector["code"]
    # Lines that no entry names any more are not ours to judge.
    found = codes(document) - {"file-unknown"}
    if rule in SAME | OTHER.keys():
        assert found
        assert found <= OTHER.get(rule, {rule})
        assert status in {4, 5}
    else:
        assert found <= SOME.get(rule, set())


def test_every_rule_that_it_judges_is_tried() -> None:
    """There is a vector for each of its rules."""
    tried = {folders.load(f"rule/{path.name}")["code"] for path in RULES}
    assert SAME | OTHER.keys() | SOME.keys() <= tried


# ── what it cannot verify ────────────────────────────────────────────────────


def test_missing_files_are_not_verified(public: Path, run: Run) -> None:
    """Without any one of its files, a folder is neither right nor wrong: exit 5."""
    files = sorted(file for file in public.rglob("*") if file.is_file())
    for file in files:
        data = file.read_bytes()
        file.unlink()
        status, document = run(public)
        file.write_bytes(data)
        assert status == 5, (file, document)


def test_a_sealed_manifest_is_not_verified(tmp_path: Path, run: Run) -> None:
    """Sealed lines are not published: their totals count, and the exit code is 5."""
    vector = dict(folders.load("log/shared-out.json"))
    whole = folders.folder_of(vector, tmp_path / "whole")
    shutil.rmtree(whole / "manifest")
    status, document = run(whole)
    assert (status, codes(document)) == (5, {"file-missing"})
    assert list(document["credited"]) == ["µSEK to "]


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/000",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/00\u0661",
        "tile/9/000",
        "tile/entries/001.p/1",
        "manifest/00/tile/0/000.p/1",
        "index.html",
        "tile/0/caf\udce9",
    ],
)
def test_strangers_are_not_verified(name: str, public: Path, run: Run) -> None:
    """A file that is no part of the log is named, and was not verified."""
    folders.write(public, {name: b"?"})
    status, document = run(public)
    assert (status, codes(document)) == (5, {"file-unknown"})


def test_levels_of_tomorrow_are_not_verified(tmp_path: Path, run: Run) -> None:
    """After the operator has raised the level, entries are not judged: exit 5."""
    vector = folders.load("rule/level-unknown-a-level-of-tomorrow.json")
    log = folders.load(f"log/{vector['log']}.json")
    folder = folders.smuggled(vector, tmp_path / "one")
    assert run(folder)[0] == 0
    leaves = [bytes.fromhex(leaf) for leaf in log["leaves"]]
    raised = (folder / f"tile/entries/000.p/{len(leaves) + 1}").read_bytes()
    leaves.append(verify.parse_bundle(raised, len(leaves) + 1)[-1])
    leaves.append(_next(leaves, {"party": bytes(16)}, "party.verify"))
    folder = folders.publish(tmp_path / "two", leaves, log["manifests"])
    status, document = run(folder)
    assert (status, codes(document)) == (5, {"level-unknown"})


def _next(leaves: list[bytes], body: Any, kind: str) -> bytes:  # noqa: ANN401
    """Make the operator's next entry."""
    last: Any = decode(leaves[-1][len(verify.ENTRY_TAG) :])
    event: Any = decode(last["event"])
    event |= {
        "body": body,
        "id": b"next".ljust(16),
        "kind": kind,
        "prev": verify.sha256(verify.EVENT_TAG, last["event"]),
        "seq": event["seq"] + 1,
    }
    data = encode_trusted(event)
    entry = {
        "event": data,
        "index": len(leaves),
        "previous": leaf_hash(leaves[-1]),
        "signature": signing_key("operatorsign").sign(verify.EVENT_TAG + data),
        "time": last["time"],
    }
    return verify.ENTRY_TAG + encode_trusted(entry)


# ── how it answers ───────────────────────────────────────────────────────────


def test_exit_codes(public: Path, tmp_path: Path, run: Run) -> None:
    """0 holds, 2 usage, 3 no input of ours, 4 failed, 5 not verified."""
    assert run(public)[0] == 0
    with pytest.raises(SystemExit) as usage:
        verify.main([str(public)])
    assert usage.value.code == 2
    assert run(public, "no key")[0] == 3
    (tmp_path / "text").write_text("text")
    assert run(tmp_path / "text")[0] == 3
    assert run(public, folders.load("vkey/plain.json")["vkey"])[0] == 4
    assert run(tmp_path / "nothing")[0] == 5
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty")[0] == 5


def test_text_says_where_and_why(
    public: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people, a line each: what was counted, and what is wrong where."""
    (public / "tile/0" / f"000.p/{len(LOG['leaves'])}").unlink()
    assert verify.main([str(public), "--vkey", VKEY]) == 5
    said = capsys.readouterr().out.splitlines()
    assert any("entries and signatures" in line for line in said)
    assert any(line.startswith("NOT VERIFIED: tile/0/000.p/") for line in said)
