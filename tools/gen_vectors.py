#!/usr/bin/env python3
"""Write the test vectors, or compare them: python tools/gen_vectors.py [--check].

    tests/vectors/<format>/<case>.json

Vectors are made with fixed seeds and without a clock, so that making them again gives
the same bytes. What a log writes must never change by itself: a vector that differs is
either a mistake, or a decision about the format that belongs in a commit of its own.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "vectors"

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.vectors import canonical  # noqa: E402
from tools.vectors import checkpoints  # noqa: E402
from tools.vectors import entries  # noqa: E402
from tools.vectors import keys  # noqa: E402
from tools.vectors import logs  # noqa: E402
from tools.vectors import manifests  # noqa: E402
from tools.vectors import money  # noqa: E402
from tools.vectors import notes  # noqa: E402
from tools.vectors import trees  # noqa: E402
from tools.vectors import witnesses  # noqa: E402

GROUPS = (
    *(canonical, entries, keys, notes, checkpoints),
    *(trees, witnesses, manifests, money, logs),
)


def path_of(name: str) -> str:
    """Turn the name of a case into its path: format, slash, words joined by dashes."""
    group, _, case = name.partition("/")
    words = re.sub("[^a-z0-9]+", "-", case.lower()).strip("-")
    return f"{group}/{words}.json"


def make() -> dict[str, str]:
    """Make every vector: path to text.

    Raises:
        ValueError: two cases have the same path.
    """
    made: dict[str, str] = {}
    for group in GROUPS:
        for name, vector in group.cases():
            path = path_of(name)
            if path in made:
                message = f"two cases are called {path}"
                raise ValueError(message)
            made[path] = json.dumps(vector, indent=1, sort_keys=True) + "\n"
    return made


def differences(made: dict[str, str], folder: Path = FOLDER) -> Iterator[str]:
    """Say what is missing in the folder, what is not ours, and what differs."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")}
    for path in sorted(made.keys() | there):
        if path not in there:
            yield f"{path} is missing"
        elif path not in made:
            yield f"{path} is not made by the generator"
        elif (folder / path).read_text(encoding="utf-8") != made[path]:
            yield f"{path} differs"


def write(made: dict[str, str], folder: Path = FOLDER) -> None:
    """Write every vector, and remove those that are no more."""
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write or compare."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    made = make()
    if not arguments:
        write(made)
        print(f"{len(made)} vectors in {FOLDER.relative_to(ROOT)}")
        return 0
    found = list(differences(made))
    print(*found, f"{len(made)} vectors, {len(found)} differ", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
