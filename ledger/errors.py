"""Every error that linernote raises on purpose, in one tree.

    LedgerError
    ├─ InputError         what the caller gave is wrong (exit 3)
    │  └─ FormatError     bytes that are not in their one canonical form
    ├─ VerificationError  a signature, proof, chain, tree or sum does not hold (exit 4)
    ├─ UnverifiableError  something needed to verify is missing (exit 5)
    ├─ ConflictError      the log already holds something that excludes this (exit 6)
    ├─ AuthorityError     the author may not do this (exit 7)
    ├─ HomeError          the log home refuses to run (exit 8)
    └─ InvariantError     a bug of ours; never caught, stops the program (exit 1)

Each carries a stable ``code`` for programs, a message that says what was wrong
and where, and a ``hint`` that says what to do. The exit codes are those of
``ledger/docs/interface.md``; the web maps codes to statuses in one table.

>>> error = FormatError("bad-token", "kind 'Due' is not a token", hint="use lower case")
>>> error.code, error.exit_code, str(error)
('bad-token', 3, "kind 'Due' is not a token")
"""

from __future__ import annotations

from typing import ClassVar


class LedgerError(Exception):
    """Base of the tree.

    Args:
        code: stable kebab-case identifier, part of the public interface.
        message: what was wrong, and where.
        hint: what to do about it; may be empty.

    Attributes:
        position: of the event that was refused, from 0, where several are appended
            all or none.
    """

    exit_code: ClassVar[int] = 1
    position: int | None = None

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip between an auditing process and its parent."""
        return _rebuild, (type(self), self.code, self.message, self.hint)


def _rebuild(
    kind: type[LedgerError], code: str, message: str, hint: str
) -> LedgerError:
    return kind(code, message, hint=hint)


class InputError(LedgerError):
    """What the caller gave is wrong."""

    exit_code: ClassVar[int] = 3


class FormatError(InputError):
    """Bytes that are not in their one canonical form."""


class VerificationError(LedgerError):
    """A signature, proof, chain, tree or sum does not hold."""

    exit_code: ClassVar[int] = 4


class UnverifiableError(LedgerError):
    """Something needed to verify is missing."""

    exit_code: ClassVar[int] = 5


class ConflictError(LedgerError):
    """The log already holds something that excludes this."""

    exit_code: ClassVar[int] = 6


class AuthorityError(LedgerError):
    """The author may not do this."""

    exit_code: ClassVar[int] = 7


class HomeError(LedgerError):
    """The log home refuses to run."""

    exit_code: ClassVar[int] = 8


class InvariantError(LedgerError):
    """A bug of ours: stop rather than go on wrong."""

    exit_code: ClassVar[int] = 1
