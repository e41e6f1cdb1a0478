"""New keys, and what has to be said about them (format.md §4).

a new party            registrar: party, with its root key     root: its sign key
a party of a manifest  registrar: key, its first, a root key   root: its sign key
one more sign key                                              root: that key
a rotation                                    root: the new key, and the old one's end
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from ledger.cli.common import Settings
from ledger.cli.common import open_home
from ledger.cli.delivery import Said
from ledger.cli.signing import Signer
from ledger.entry.verify import key_id
from ledger.entry.verify import prove_key
from ledger.errors import InputError
from ledger.setup import ROOT_SUFFIX

if TYPE_CHECKING:
    from ledger.cli.signing import Keys
    from ledger.keys.keyfile import KeyFile
    from ledger.replay import State
    from ledger.tlog.ed25519 import SigningKey

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
Body = dict[str, Any]


class Maker:
    """Makes keys in a ring.

    Args:
        keys: the ring, and passphrases.
        passphrase: locks new keys; None leaves them unlocked.
        log: id of the log that they are for.

    Attributes:
        made: the keys, in the order in which they were made.
        sent: whether somebody else may know of them: then their files are not to be
            lost.
    """

    def __init__(self, keys: Keys, passphrase: str | None, log: bytes) -> None:
        self._keys = keys
        self._passphrase = passphrase
        self._log = log
        self.made: list[Signer] = []
        self.sent = False

    def party(
        self,
        name: str,
        party: bytes,
        describe: Callable[[bytes, Body], tuple[str, Body]],
    ) -> Said:
        """Make the two keys of a party that has none.

        Args:
            name: of its sign key.
            party: its id.
            describe: gives the registrar's event from id and proof of the root key.
        """
        root = self._make(name + ROOT_SUFFIX, party, "root")
        sign = self._make(name, party, "sign")
        return Said(
            [describe(party, self._proof(root))], [self._added(sign)], root, fresh=True
        )

    def another(self, name: str, root: Signer, purpose: str = "sign") -> Said:
        """Make one more key of a party."""
        made = self._make(name, root.file.party, purpose)
        return Said([], [self._added(made)], root)

    def successor(self, name: str, old: KeyFile, root: Signer) -> Said:
        """Make a key that takes the place of another."""
        said = self.another(name, root, old.purpose)
        return said._replace(
            by_root=[*said.by_root, revoked(old.party, key_id(old.public))]
        )

    def discard(self) -> None:
        """Remove the keys made: nobody has heard of them."""
        for signer in self.made:
            self._keys.ring.remove(signer.file.name)

    def _make(self, name: str, party: bytes, purpose: str) -> Signer:
        ring = self._keys.ring
        made = ring.create(
            name, party=party, purpose=purpose, passphrase=self._passphrase
        )
        signer = Signer(ring.load(name), made)
        self.made.append(signer)
        return signer

    def _added(self, signer: Signer) -> Body:
        return {
            "action": "add",
            "party": signer.file.party.hex(),
            **self._proof(signer),
        } | {"purpose": signer.file.purpose}

    def _proof(self, signer: Signer) -> Body:
        """Give the public key and the proof that its owner holds it."""
        key: SigningKey = signer.key
        proof = prove_key(
            key,
            log=self._log,
            party=signer.file.party,
            purpose=signer.file.purpose,
        )
        return {"public": key.public.hex(), "proof": proof.hex()}


def revoked(party: bytes, identity: bytes) -> Body:
    """Say that a key is revoked."""
    return {"action": "revoke", "party": party.hex(), "key": identity.hex()}


def check_names(keys: Keys, *names: str) -> None:
    """Refuse names that no key can have, or that one has.

    Raises:
        InputError: `bad-key-name`.
        ConflictError: `key-file-exists`.
    """
    for name in names:
        if NAME.match(name) is None:
            raise InputError(
                "bad-name",
                f"{name[:80]!a} is no name of a key",
                hint="1 to 64 of letters, digits and ._- that begin with one of the"
                " first two",
            )
        keys.ring.check_free(name)


def root_of(keys: Keys, key_file: KeyFile, state: State | None) -> KeyFile:
    """Find the root key of a key's party, in force as far as is known.

    Raises:
        InputError: `root-key-missing`.
    """
    roots = keys.ring.of_party(key_file.party, "root")
    for root in roots:
        if state is None or in_force(state, root):
            return root
    where = f"is not in {keys.ring.folder}"
    if roots:
        where = f"is {roots[0].name}, which is not in force on this log"
    raise InputError(
        "root-key-missing",
        f"the root key of the party of {key_file.name} {where}",
        hint="append what brings it on the log"
        if roots
        else "do this where that key is, with --head from the log's operator",
    )


def in_force(state: State, key_file: KeyFile) -> bool:
    """Tell whether a key is on the log and has not been revoked."""
    row = state.keys.get(key_id(key_file.public))
    return row is not None and row.revoked < 0


def free_name(keys: Keys, name: str) -> str:
    """Give the next free name: studio, studio-2, and so on."""
    stem = re.sub(r"-[0-9]+\Z", "", name)
    taken = set(keys.ring.names())
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def root_name_of(
    settings: Settings, keys: Keys, key_file: KeyFile, head: str | None
) -> str:
    """Find the name of the root key of a key's party, in force if the log is here."""
    if head is not None:
        return root_of(keys, key_file, None).name
    with open_home(settings) as reader, reader.reading() as sources:
        return root_of(keys, key_file, sources.state).name
