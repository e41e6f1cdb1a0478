"""How commands are spelled so that they work where they are pasted.

On a fresh machine neither the environment that runs the demonstration nor the
project is on `PATH`: a command is then spelled by its path, from the folder that the
demonstration was run in.

>>> spell(Path("/srv/own/.venv/bin/linernote"), Path("/srv/own"))
'.venv/bin/linernote'
>>> spell(Path("/srv/own/linernote"), Path("/srv/own"))
'./linernote'
>>> spell(Path("/opt/a b/linernote"), Path("/srv/own"))
"'/opt/a b/linernote'"
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

PROGRAM = "linernote"
CHECKOUT = Path(__file__).parents[2]
VERIFIER = Path("tools/verify.py")


def spell(path: Path, folder: Path) -> str:
    """Spell a path as somebody types it in a folder; what is elsewhere, in full."""
    if not path.is_relative_to(folder):
        return shlex.quote(str(path))
    short = path.relative_to(folder)
    return shlex.quote(str(short) if len(short.parts) > 1 else f"./{short}")


def program_words() -> str:
    """Give what to type for linernote: its name, where the shell finds this one."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = shutil.which(PROGRAM)
    if not beside.is_file() or (found and Path(found).absolute() == beside):
        return PROGRAM
    return spell(beside, Path.cwd())


def verifier_words(checkout: Path = CHECKOUT) -> str:
    """Give what to type for verify.py, with an interpreter that has what it needs."""
    script = checkout / VERIFIER
    if not script.is_file():
        return f"python3 {VERIFIER}"
    here = Path.cwd()
    return f"{spell(Path(sys.executable), here)} {spell(script, here)}"
