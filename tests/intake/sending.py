"""Events of a lab that are sent to a log elsewhere, and what is answered."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Result
from tests.cli.conftest import run_command


def versions(*names: str, **ids: str) -> str:
    """Write events of model versions as NDJSON, with the ids given."""
    body = {"model": "m", "parents": [], "synthetic": []}
    events = [
        {"kind": "model.version", "body": {**body, "version": name}} for name in names
    ]
    for event, name in zip(events, names, strict=True):
        if name in ids:
            event["id"] = ids[name]
    return "".join(f"{json.dumps(event)}\n" for event in events)


def send(url: str, text: str, *options: object, key: str = "lab") -> Result:
    return run_command(
        "append", "-", "--key", key, "--to", url, *options, "--json", input=text
    )


def answers(result: Result) -> list[dict[str, object]]:
    assert result.code == 0, result
    found: list[dict[str, object]] = result.json["answers"]
    return found


def memory(away: Path) -> Path:
    return away / "linernote-keys" / "lab.chain"
