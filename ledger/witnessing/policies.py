r"""Policy files: read as octets, and what is wrong in one is said with its path.

    home/policy     whom to ask and whom to believe (C2SP tlog-policy, format.md §7)

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     written = Path(folder) / "policy"
...     _ = written.write_bytes(b"# d\xe9j\xe0 vu\nquorum none\n")
...     read_policy_file(written).quorum is None, read_policy(Home(Path(folder) / "x"))
(True, None)
"""

from __future__ import annotations

from pathlib import Path

from ledger.errors import FormatError
from ledger.errors import LedgerError
from ledger.home import Home
from ledger.tlog.policy import Policy
from ledger.tlog.policy import parse_policy

FILE_NAME = "policy"
FILE_BYTES_MAX = 1 << 20


def read_policy(home: Home) -> Policy | None:
    """Read the policy of a home; None where there is none.

    Raises:
        LedgerError: as `read_policy_file`.
        OSError: it cannot be read.
    """
    try:
        return read_policy_file(home.path / FILE_NAME)
    except FileNotFoundError:
        return None


def read_policy_file(path: Path) -> Policy:
    """Read a policy.

    Raises:
        LedgerError: as `parse_policy`, and with the path.
        FormatError: `bad-policy`, if it is larger than any policy.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise FormatError(
            "bad-policy", f"{path} is larger than {FILE_BYTES_MAX:,} bytes"
        )
    try:
        return parse_policy(data)
    except LedgerError as error:
        message = f"{path}: {error.message}"
        raise type(error)(error.code, message, hint=error.hint) from None
