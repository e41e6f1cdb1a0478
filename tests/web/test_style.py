"""Colours can be told apart: every text on every ground, light and dark (WCAG AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import web

STYLE = (Path(web.__file__).parent / "static" / "linernote.css").read_text()
CONTRAST_MIN = 4.5
TEXTS = ("ink", "soft", "accent", "good", "waiting", "bad")
GROUNDS = ("paper", "card")


def colours(scheme: str) -> dict[str, str]:
    """The colours of a scheme: those of the light one come first."""
    blocks = re.findall(r":root,\s*:host \{(.*?)\}", STYLE, re.DOTALL)
    assert len(blocks) == 2
    block = blocks[("light", "dark").index(scheme)]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_stands_out(scheme: str, text: str, ground: str) -> None:
    """Every colour of text has enough contrast on every ground."""
    named = colours(scheme)
    assert contrast(named[text], named[ground]) >= CONTRAST_MIN


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_banner_and_buttons_stand_out(scheme: str) -> None:
    """So have the notice, and buttons, whose text is the colour of the paper."""
    named = colours(scheme)
    assert contrast(named["notice-ink"], named["notice"]) >= CONTRAST_MIN
    assert contrast(named["paper"], named["accent"]) >= CONTRAST_MIN


def test_contrast_is_measured_right() -> None:
    """Black on white is 21 to 1, and a colour on itself 1 to 1."""
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert contrast("#655c50", "#655c50") == 1
    assert 4.5 < contrast("#767676", "#ffffff") < 4.6


def test_nothing_is_fetched_by_styles() -> None:
    """No style sheet of ours or of others asks another site for anything."""
    static = Path(web.__file__).parent / "static"
    for path in static.rglob("*.css"):
        for target in re.findall(r"url\(\s*[\"']?([^\"')]{0,12})", path.read_text()):
            assert target.startswith("data:image/"), path
        assert "@import" not in path.read_text()
