"""What the documentation tests read in a Markdown file: blocks, links, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+)(?P<language>[\w-]*)[^`]*$")
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>\S.*) -->")
LINK = re.compile(
    r"\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)(?: \"[^\"]*\")?\)"
)
HEADING = re.compile(r"^#{1,6} +(?P<title>.+?)(?: +#+)?$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    `line` is the number of its first line of text, from 1; `not_run` the reason
    that a comment right above the fence gives for not running it, or nothing.
    """

    language: str
    text: str
    line: int
    not_run: str


@dataclass(frozen=True)
class Command:
    """A command at a `$ ` of a console block, and the output shown under it."""

    command: str
    shown: str
    line: int


def split(text: str) -> tuple[list[Block], list[tuple[int, str]]]:
    """Part a document into its fenced blocks and its other lines, numbered from 1.

    Raises:
        ValueError: a fence is never closed.
    """
    blocks: list[Block] = []
    prose: list[tuple[int, str]] = []
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        opened = FENCE.match(line)
        if opened is None:
            prose.append((number, line))
            continue
        inside: list[str] = []
        for _, content in lines:
            if content.strip() == opened["fence"]:
                break
            inside.append(content.removeprefix(opened["indent"]))
        else:
            message = f"the fence of line {number} is never closed"
            raise ValueError(message)
        above = next((one for _, one in reversed(prose) if one.strip()), "")
        marked = NOT_RUN.fullmatch(above.strip())
        reason = marked["reason"] if marked else ""
        body = "\n".join([*inside, ""])
        blocks.append(Block(opened["language"], body, number + 1, reason))
    return blocks, prose


def commands(block: Block) -> Iterator[Command]:
    """Read the commands of a console block; a backslash or <<END carries one on."""
    lines = iter(block.text.splitlines())
    typed, shown, start, number = "", list[str](), 0, block.line - 1
    for line in lines:
        number += 1
        if not line.startswith("$ "):
            shown.append(line)
            continue
        if typed:
            yield Command(typed, "\n".join(shown), start)
        typed, shown, start = line[2:], [], number
        while typed.endswith("\\"):
            typed += "\n" + next(lines).removeprefix("> ")
            number += 1
        ending = re.search(r"<<\s*'?(\w+)'?", typed)
        while ending and typed.splitlines()[-1] != ending[1]:
            typed += "\n" + next(lines).removeprefix("> ")
            number += 1
    if typed:
        yield Command(typed, "\n".join(shown), start)


def links(prose: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Find the targets of inline links, with the lines that they are on."""
    for number, line in prose:
        plain = re.sub(r"`[^`]*`", "", line)
        yield from ((number, found["target"]) for found in LINK.finditer(plain))


def anchors(prose: list[tuple[int, str]]) -> set[str]:
    """Name the anchors of the headings, as GitHub and the viewer make them."""
    names: set[str] = set()
    for _, line in prose:
        heading = HEADING.match(line)
        if heading is None:
            continue
        kept = re.sub(r"[^\w\- ]", "", heading["title"].lower())
        name = base = kept.replace(" ", "-")
        repeated = 0
        while name in names:
            repeated += 1
            name = f"{base}-{repeated}"
        names.add(name)
    return names
