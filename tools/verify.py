#!/usr/bin/env python3
r"""Verify what a linernote log has published, without any code of linernote.

    python tools/verify.py public/             --vkey "example.com/log+1dde4531+ATtq…"
    python tools/verify.py entry-7.tlog-proof  --vkey "example.com/log+1dde4531+ATtq…"

One file, to be read in one sitting; it needs Python 3.11, PyNaCl and msgpack. It is a
second implementation of ledger/docs/format.md (cited as §1 to §9), and agrees with the
first on tests/vectors. What takes a replay it leaves to `linernote audit`: the roles of
authors, what a licence covers, what a tariff asks, how a pool is divided.

Exit codes: 0 all holds; 2 wrong usage; 3 no proof, folder or verifier key; 4 it FAILED;
5 something could not be verified: sealed lines, a missing file, a newer level.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

PARSER = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
PARSER.add_argument("path", type=Path, help="a .tlog-proof, or a public folder")
PARSER.add_argument("--vkey", required=True, help="the log's verifier key")
PARSER.add_argument("--json", action="store_true", help="print one JSON document")
try:
    import msgpack
    from nacl import bindings
    from nacl.exceptions import CryptoError
except ModuleNotFoundError:
    if __name__ != "__main__":
        raise
    PARSER.parse_args()  # --help needs neither
    print("needs PyNaCl and msgpack: pip install pynacl msgpack", file=sys.stderr)
    raise SystemExit(5) from None

INVALID, FAILED, UNVERIFIED = 3, 4, 5
ZERO32, INTEGER_MAX, WIDTH = bytes(32), 2**63 - 1, 256
Map = dict[str, Any]


class Refusal(Exception):  # noqa: N818 (it is no error of this program)
    """Something is not as it has to be: code (the library's), message, exit code."""


def need(holds: object, code: str, said: str = "", status: int = FAILED) -> None:
    """Refuse unless something holds."""
    if not holds:
        raise Refusal(code, said or code.replace("-", " "), status)


# ── Text has one spelling: int() takes "+5", "007"; base64 takes "AB==" for "AA==" ──
def parse_decimal(text: str) -> int:
    """Parse a number without sign, leading zeros or foreign digits."""
    plain = re.fullmatch("0|[1-9][0-9]{0,18}", text) and int(text) <= INTEGER_MAX
    need(plain, "bad-decimal", f"{text[:40]!a} is not a canonical number")
    return int(text)


def parse_base64(text: str, length: int | None = None) -> bytes:
    """Parse padded base64 that encodes to the same text again."""
    whole = len(text) % 4 == 0 and re.fullmatch("[A-Za-z0-9+/]*={0,2}", text)
    data = base64.b64decode(text) if whole else b""
    same = base64.b64encode(data).decode() == text and length in {None, len(data)}
    need(same, "bad-base64", f"{text[:40]!a} is not canonical base64")
    return data


# ── Ed25519 by the strict rule (§4): A and R in the prime-order subgroup ──
is_valid_point = lru_cache(65_536)(bindings.crypto_core_ed25519_is_valid_point)


def verify_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature; libsodium refuses S ≥ L and an R of small order."""
    need(len(public) == len(ZERO32) and is_valid_point(public), "bad-public-key")
    need(len(signature) == 2 * len(ZERO32), "bad-signature")
    try:
        bindings.crypto_sign_open(signature + message, public)
    except CryptoError:
        need(None, "bad-signature", f"it does not hold under key {public.hex()[:16]}…")


# ── Canonical MessagePack (§1): one encoding for each value ──
DEPTH_MAX, TEXT_BYTES_MAX, EVENT_BYTES_MAX, LEAF_BYTES_MAX = 16, 1024, 65_000, 65_535
encode = msgpack.packb  # for what is canonical already: it keeps the order of keys


def decode(data: bytes) -> Any:  # noqa: ANN401
    """Decode bytes that are the one encoding of their value."""
    try:
        value = msgpack.unpackb(data)
    except (ValueError, RecursionError) as error:
        codes = {"UnicodeDecodeError": "bad-string", "StackError": "too-deep"}
        code = "bad-type" if "map key" in str(error) else "not-canonical"
        need(None, codes.get(type(error).__name__, code))
    check_value(value, 1, "")
    # Doubled keys, longer forms and trailing bytes are not written again as they were.
    need(encode(value) == data, "not-canonical", "it has a shorter form")
    return value


def check_value(value: Any, depth: int, name: object) -> None:  # noqa: ANN401
    """Refuse what can't be held; only a field called order may be empty text."""
    if type(value) is dict:
        need(all(type(key) is str for key in value), "bad-type", "a key is no string")
        need(list(value) == sorted(value), "not-canonical")  # as their UTF-8 bytes sort
    if type(value) in {dict, list}:
        need(depth <= DEPTH_MAX, "too-deep")
        for key, item in value.items() if type(value) is dict else enumerate(value):
            check_value(key, depth, "")
            check_value(item, depth + 1, key)
    elif type(value) is str:
        sized = len(value.encode()) <= TEXT_BYTES_MAX and (value or name == "order")
        need(sized and not re.search("[\x00-\x1f\x7f-\x9f]", value), "bad-string")
    elif type(value) is int:
        need(abs(value) <= INTEGER_MAX, "bad-integer", f"{value} is too large")
    else:
        need(type(value) in {bool, bytes}, "bad-type", f"{type(value)}")


# ── Merkle trees (RFC 6962 §2.1) ──
def sha256(*parts: bytes) -> bytes:
    """Hash the concatenation."""
    return hashlib.sha256(b"".join(parts)).digest()


def tree_root(hashes: list[bytes]) -> bytes:
    """Fold hashes to their root; an odd last one moves up as it is."""
    level = hashes or [sha256()]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [sha256(b"\x01", *pair) if pair[1:] else pair[0] for pair in pairs]
    return level[0]


def proven_root(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """Compute the root to which a proof leads; the size is from a checkpoint."""
    need(0 <= index < size and (size > 1) == bool(proof), "bad-inclusion-proof")
    if size == 1:
        return leaf
    *below, sibling = proof
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        return sha256(b"\x01", proven_root(index, left, leaf, below), sibling)
    right = proven_root(index - left, size - left, leaf, below)
    return sha256(b"\x01", sibling, right)


# ── Notes, checkpoints, proofs (C2SP signed-note, tlog-checkpoint, tlog-proof) ──
Vkey = tuple[str, bytes, bytes]  # the log's name, the id of its key, the public key
KEY_NAME = r"[^\s+\x00-\x1f]+"
NOTE_TEXT = re.compile(r"(?:[^\x00-\x1f\ud800-\udfff]*\n)+")
NOTE_LINE = re.compile(rf"— ({KEY_NAME}) ([A-Za-z0-9+/=]+)")
PROOF_HEAD = r"c2sp\.org/tlog-proof@v1\n(?:extra (.*)\n)?index (.*)\n"
PROOF = re.compile(PROOF_HEAD + r"((?:.+\n){0,63})\n((?s:.*))")
SIGNATURES_MAX, ORIGIN_BYTES_MAX, KEY_ID_BYTES = 100, 255, 4


def parse_vkey(text: str, kind: bytes = b"\x01") -> Vkey:
    """Parse name+id+key, of type 01, Ed25519; a witness's is of type 04."""
    name, identifier, key = [*text.split("+", 2), "", ""][:3]
    data = parse_base64(key)
    need(re.fullmatch(KEY_NAME, name), "bad-key-name")
    need(data[:1] == kind, "bad-vkey", f"the key is not of type {kind.hex()}")
    need(len(data) - 1 == len(ZERO32) and is_valid_point(data[1:]), "bad-public-key")
    own = note_id(name, data)
    need(identifier == own.hex(), "bad-vkey", f"the key's id is {own.hex()}")
    return name, own, data[1:]


def note_id(name: str, data: bytes) -> bytes:
    """Give the short id of a key of a name."""
    return sha256(name.encode("utf-8", "replace"), b"\n", data)[:KEY_ID_BYTES]


def open_note(note: str, *vkeys: Vkey, status: int = FAILED) -> list[str]:
    """Give the lines of a note that every key signed; strangers mean nothing."""
    text, separator, tail = note.rpartition("\n\n")
    whole = separator and tail.endswith("\n") and NOTE_TEXT.fullmatch(text + "\n")
    lines = [NOTE_LINE.fullmatch(line) for line in tail[:-1].split("\n")]
    need(whole and all(lines) and len(lines) <= SIGNATURES_MAX, "bad-note")
    found = [(match[1], parse_base64(match[2])) for match in lines if match]
    need(all(len(data) > KEY_ID_BYTES for _, data in found), "bad-note")
    for name, own, public in vkeys:
        ours = [data for by, data in found if (by, data[:KEY_ID_BYTES]) == (name, own)]
        for data in ours:
            verify_signature(public, f"{text}\n".encode(), data[KEY_ID_BYTES:])
        said = f"no signature by key {own.hex()} of {name!a}"
        if any(by == name for by, _ in found):
            said += ", but by an earlier or unknown key of that name"
        need(ours, "not-signed", said, status)
    return text.split("\n")


def open_checkpoint(note: str, *vkeys: Vkey, status: int = FAILED) -> tuple[int, bytes]:
    """Give size and root of a checkpoint that every key of the log signed."""
    origin, *lines = open_note(note, *vkeys, status=status)
    need(len(lines) > 1 and "" not in lines, "bad-checkpoint", "too few lines")
    reserved = origin.startswith(("linernote/", "cosignature/"))
    need(len(origin.encode()) <= ORIGIN_BYTES_MAX and not reserved, "bad-origin")
    same = all(vkey[0] == origin for vkey in vkeys)
    need(same, "wrong-origin", f"it is a checkpoint of {origin!a}")
    return parse_decimal(lines[0]), parse_base64(lines[1], len(ZERO32))


def parse_proof(text: str) -> tuple[int, list[bytes], str, bytes]:
    """Parse a .tlog-proof: index, hashes, checkpoint, and as extra the leaf (§7)."""
    match = PROOF.fullmatch(text)
    need(match, "bad-proof", "this is not a C2SP tlog-proof", INVALID)
    extra, index, lines, checkpoint = match.groups() if match else [""] * 4
    hashes = [parse_base64(line, len(ZERO32)) for line in lines.split("\n")[:-1]]
    return parse_decimal(index), hashes, checkpoint, parse_base64(extra or "")


# ── Trees as static files (C2SP tlog-tiles): the log's, and that of each manifest ──
Files = dict[str, Path]


def tile_path(level: object, index: int, width: int = WIDTH) -> str:
    """Format the path of a tile, or of a bundle: level "entries"."""
    *upper, last = f"{index:,}".split(",")
    place = "".join(f"x{group.zfill(3)}/" for group in upper) + last.zfill(3)
    return f"tile/{level}/{place}" + f".p/{width}" * (width < WIDTH)


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """Split a bundle into exactly so many leaves, each after its length (u16)."""
    leaves, at = [], 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        leaves.append(data[at + 2 : end])
        at = end
    need(at == len(data), "bad-bundle", f"{len(data)} bytes are not {width} leaves")
    return leaves


def read_file(files: Files, path: str) -> bytes:
    """Read a file up to the size of a full bundle; a missing one is unverified."""
    try:
        with files[path].open("rb") as file:
            return file.read(WIDTH * (2 + LEAF_BYTES_MAX) + 1)
    except (KeyError, OSError):
        raise Refusal("file-missing", "missing or unreadable", UNVERIFIED) from None


def read_leaves(files: Files, size: int, hashes: list[bytes]) -> Iterator[bytes]:
    """Give the data of each leaf of a tree, after adding its hash."""
    for start in range(0, size, WIDTH):
        width = min(WIDTH, size - start)
        path = tile_path("entries", start // WIDTH, width)
        for leaf in parse_bundle(read_file(files, path), width):
            hashes.append(sha256(b"\x00", leaf))
            yield leaf


def check_files(files: Files, hashes: list[bytes], where: str, report: Report) -> None:
    """Check the tiles and bundles of a tree, narrower ones of earlier sizes too."""
    tiles, wanted, level, height = dict[str, list[bytes]](), set[str](), hashes, 0
    while level:
        chunks = [level[at : at + WIDTH] for at in range(0, len(level), WIDTH)]
        for name in [height] if height else [0, "entries"]:
            tiles |= {tile_path(name, index): tile for index, tile in enumerate(chunks)}
            wanted.add(tile_path(name, len(chunks) - 1, len(chunks[-1])))
        level = [tree_root(chunk) for chunk in chunks if len(chunk) == WIDTH]
        height += 1
    wanted |= {path for path, tile in tiles.items() if len(tile) == WIDTH}
    for path in sorted(wanted | files.keys()):
        with report.noting(where + path):
            place, _, width = path.partition(".p/")
            tile = tiles.get(place, [])[: int(width) if width.isdecimal() else WIDTH]
            exact = tile and path == place + f".p/{len(tile)}" * (len(tile) < WIDTH)
            need(exact, "file-unknown", status=UNVERIFIED)
            data = read_file(files, path)
            if place.startswith("tile/entries/"):
                leaves = parse_bundle(data, len(tile))
                data = b"".join(sha256(b"\x00", leaf) for leaf in leaves)
            need(data == b"".join(tile), "tile-mismatch")
            report.checked["tiles and bundles"] += 1


# ── What entries, events, bodies and lines are made of (§2, §5): a row for each ──
# Name; of a manifest, the order of its lines and the fields with totals; of money, its
# postings: account and amount, debit positive (money.md §8). Then fields: "?" may be
# absent, "*" is a list of any length, "," an array of just these.
FORMS: dict[str, dict[str, str]] = {}
COLUMNS: dict[str, str] = {}
for _form in """\
entry - event:bin index:n previous:b32 signature:b64 time:n
event - author:b16 body:map id:b16 key:b32 kind:token log:b32 prev:b32 seen:n,b32 seq:n time:n
manifest - lines:n order:str root:b32 sealed:bool totals:map
genesis - currencies:map* endorsement?:b64 level:n1 log_key:b32 operator:b16 origin:str predecessor?:predecessor root_key:b32 utc_offset:int
predecessor - log:b32 origin:str root:b32 size:n1
party - external?:external parties?:manifest party?:b16 proof?:b64 public?:b32 type?:type
key - action:token key?:b32 party:b16 proof?:b64 public?:b32 purpose?:purpose source?:n,n
log.key - action:rotation checkpoint?:note proof?:b64 public:b32
acknowledge - code:token index:n
due receivable=net+vat&due=-net&vat=-vat currency:cur day:int licence:n net:n quantity:n run:token vat:n
payment.received trust=gross-charges&charges=charges&receivable=-applied&due=funded&pool=-funded&prepaid=applied-gross applies:application* charges:n currency:cur gross:n1 payer:b16
application - amount:n1 due:n
distribution pool=total+reserve&reserve=-reserve&fee=-fee&cultural=-cultural&payable=-net&suspense=-waiting-unallocated currency:cur licence:n lines:manifest mode:str nodes:map* pool:b16 reserve:n run:token total:n unallocated:n
payout payable=gross&in_transit=-sent&tax=-tax batch:manifest currency:cur tax_ppm:ppm threshold:n
reverse - cause:token entry:n replacement?:b16
catalogue/recordings external external:external isrc?:isrc ms?:n1 recording?:b16 works?:external,ppm*
distribution/lines recording/side/work/party+cultural+fee+gross+net cultural:n fee:n gross:n1 net:n party:b16 recording:external side:side state:state work?:external
party/parties party external?:external party:b16 type:type verified:bool
payout.result/lines party+gross+sent+tax gross:n1 party:b16 sent:n tax:n
payout/batch party+gross+sent+tax gross:n1 party:b16 sent:n tax:n
run.close/dataset external external:external
run.close/exposure external+exposure exposure:n1 external:external
run.open/dataset external external:external
shares/lines subject/side/place party:b16 place:u16 ppm:ppm role:token side:side subject:external
""".splitlines():  # noqa: E501 (a row of the table is a line)
    _name, COLUMNS[_name], *_fields = _form.split(" ")
    FORMS[_name] = dict(_field.split(":", 1) for _field in _fields)
    FORMS[_name + "+"] = dict.fromkeys(COLUMNS[_name].split("+")[1:], "n")
# A type, a range of integers, or a pattern of text or bytes.
KINDS: dict[str, Any] = {"bin": bytes, "bool": bool, "map": dict, "str": str}
KINDS |= {"b16": b"(?s:.{16})", "b32": b"(?s:.{32})", "b64": b"(?s:.{64})"}
KINDS |= {"n": range(2**63), "n1": range(1, 2**63), "int": range(-(2**63), 2**63)}
KINDS |= {"u16": range(2**16), "ppm": range(10**6 + 1), "purpose": "root|sign"}
KINDS |= {"token": "[a-z0-9._/-]{1,64}", "external": "[a-z0-9-]+:[!-~]{1,96}"}
KINDS |= {"isrc": "[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", "cur": "[A-Z]{3}"}
KINDS |= {"type": "group|organisation|person", "state": "payable|suspense"}
KINDS |= {
    "note": b"(?s:.{100,16384})",
    "rotation": "add|retire",
    "side": "composition|master|performer",
}


def fits(value: Any, kind: str) -> bool:  # noqa: ANN401
    """Tell whether a value is of a kind."""
    if type(value) is list:
        kinds = [kind[:-1]] * len(value) if kind.endswith("*") else kind.split(",")
        return len(kinds) == len(value) and all(map(fits, value, kinds))
    if type(value) is dict and kind in FORMS:
        form = {name.strip("?"): inner for name, inner in FORMS[kind].items()}
        whole = all(name in value for name in FORMS[kind] if name[-1] != "?")
        return whole and all(fits(value[name], form.get(name, "")) for name in value)
    rule: Any = KINDS.get(kind)
    if type(value) in {str, bytes} and type(rule) is type(value):
        return re.fullmatch(rule, value) is not None
    if type(rule) is range:
        return type(value) is int and value in rule
    return type(value) is rule


def parse(data: bytes, form: str, tag: bytes = b"", limit: int = LEAF_BYTES_MAX) -> Map:
    """Parse what its tag begins; every tree has its own, so no leaf fits in another."""
    need(len(data) <= limit, "too-large", f"{len(data)} bytes, at most {limit}")
    need(data.startswith(tag), "bad-tag", f"it begins with {data[: len(tag)]!a}")
    value: Map = decode(data[len(tag) :])
    need(fits(value, form), "bad-line" if "/" in form else f"bad-{form}")
    return value


ENTRY_TAG, EVENT_TAG = b"linernote/entry/v1\n", b"linernote/event/v1\n"
KEY_TAG, POOL_TAG = b"linernote/key/v1\n", b"linernote/pool/v1\n"
SUCCESSION_TAG, ZEROS = b"linernote/succession/v1\n", [ZERO32, ZERO32, [0, ZERO32], 0]
LOG_KEY_TAG, LOG_KEYS_MAX = b"linernote/log-key/v1\n", 4
LINE_TAG, SEALED_TAG = b"linernote/line/v1\n", b"linernote/sealed-line/v1\n"
MANIFEST_TAG, SALT_BYTES = b"linernote/manifest/v1\n", 16
CLOCK_SKEW_MS, LEVEL = 300_000, 1


def read_lines(leaves: Iterator[bytes], kind: str, *, sealed: bool) -> Iterator[Map]:
    """Parse the lines of a manifest, which strictly ascend by its order (§5)."""
    tag, salt = (SEALED_TAG, SALT_BYTES) if sealed else (LINE_TAG, 0)
    names = COLUMNS[kind].partition("+")[0].split("/")
    last: list[list[Any]] = []
    for leaf in leaves:
        line = parse(leaf[: len(tag)] + leaf[len(tag) + salt :], kind, tag)
        # An absent field comes before any value.
        place = [[line[name]] if name in line else [] for name in names]
        need(place != last, "manifest-line-doubled")
        need(place > last, "manifest-lines-unordered")
        last = place
        yield line


def decimals(genesis: Map) -> dict[str, int]:
    """How many decimals the currencies of a genesis have."""
    return {rule["code"]: rule["exponent"] for rule in genesis["currencies"]}


class Log:
    """Reads entries in order (§2 to §6), and keeps what later ones are judged by."""

    def __init__(self, vkey: Vkey, trees: dict[str, Files], report: Report) -> None:
        self.vkey, self.trees, self.report = vkey, trees, report
        self.id, self.operator, self.time, self.level = ZERO32, b"", 0, LEVEL
        self.keys: dict[bytes, Map] = {}
        self.log_keys: list[Map] = []  # that sign checkpoints
        self.decimals: dict[str, int] = {}  # by currency
        self.origins: list[str] = []  # the log's name, after those before a succession
        self.known = set[tuple[str, bytes]]()  # keys, parties, roots, author ‖ id
        self.dues: dict[int, tuple[int, int, bytes]] = {}  # net, VAT, pool
        self.held: Counter[Any] = Counter()  # accounts, and what else is counted
        self.posted: dict[int, Counter[Any]] = {}
        self.acknowledged: set[tuple[object, str]] = set()

    def take(self, index: int, leaf: bytes, hashes: list[bytes]) -> None:
        """Verify the next entry; `hashes` ends with its own leaf hash."""
        entry = parse(leaf, "entry", ENTRY_TAG)
        need(entry["index"] == index, "wrong-index", f"it says {entry['index']}")
        last = hashes[index - 1] if index else ZERO32
        need(entry["previous"] == last, "broken-chain")
        need(entry["time"] >= self.time, "time-backwards")
        self.time = entry["time"]
        event = parse(entry["event"], "event", limit=EVENT_BYTES_MAX)
        key: Any = self.keys.get(event["key"]) if index else self._genesis(event)
        need(key, "key-unknown", status=FAILED if self.level == LEVEL else UNVERIFIED)
        verify_signature(key["public"], EVENT_TAG + entry["event"], entry["signature"])
        self.report.checked["entries and signatures"] += 1
        seq, prev = key["seq"], key["prev"]
        # The chain moves on even where the event breaks a rule (§6).
        key["seq"], key["prev"] = event["seq"] + 1, sha256(EVENT_TAG, entry["event"])
        self.id = self.id if index else key["prev"]
        zeros = [event[n] for n in ("log", "prev", "seen", "seq")] == ZEROS
        first = event["kind"] == "genesis"  # of this log, or of one that succeeds it
        need(zeros or not first, "genesis-misplaced")
        said = event["seq"]
        need(first or said == seq, "out-of-sequence", f"{said} instead of {seq}")
        need(first or event["prev"] == prev, "broken-key-chain")
        seen, seen_hash = event["seen"]
        honest = first or (seen < index and hashes[seen] == seen_hash)
        need(honest, "seen-unknown", f"its author saw another entry {seen}")
        need(first or event["log"] == self.id, "wrong-log")
        with self.report.noting(index):
            need(key["party"] == event["author"], "author-mismatch")
            need(event["time"] <= entry["time"] + CLOCK_SKEW_MS, "event-time-ahead")
            self._once("id", event["author"] + event["id"], "id-reused")
            need(self.level == LEVEL, "level-unknown", status=UNVERIFIED)
            self._apply(index, event, key)

    def _once(self, what: str, name: bytes, code: str) -> None:
        need((what, name) not in self.known, code)
        self.known.add((what, name))

    def _genesis(self, event: Map) -> Map:
        body, zeros = event["body"], [event[n] for n in ("log", "prev", "seen", "seq")]
        bare = event["kind"] == "genesis" and zeros == ZEROS
        need(bare, "genesis-misplaced", "entry 0 is no genesis, or not of zeros")
        need(fits(body, "genesis"), "bad-body", "genesis has other fields or types")
        need(body["level"] == LEVEL, "level-unknown", status=UNVERIFIED)
        need(event["key"] == sha256(b"\x01", body["root_key"]), "genesis-key")
        need(
            "predecessor" not in body, "bad-predecessor", "there are no entries before"
        )
        self.operator, self.first = body["operator"], body
        self.decimals = decimals(body)
        self.origins.append(body["origin"])
        self._add_log_key(0, body["log_key"], body["origin"])
        return self._register(self.operator, body["root_key"], "root")

    def _register(self, party: bytes, public: bytes, purpose: str) -> Map:
        self._once("key", public, "key-exists")
        self.known.add(("party", party))
        key = Map(party=party, public=public, purpose=purpose, seq=0, prev=ZERO32)
        self.keys[sha256(b"\x01", public)] = key
        return key

    def _apply(self, index: int, event: Map, key: Map) -> None:
        """Check body and manifests of an event, and what it says of keys and money."""
        kind, body, lines = event["kind"], event["body"], list[Map]()
        need(kind not in FORMS or fits(body, kind), "bad-body", "other fields or types")
        need("revoked" not in key, "key-revoked")
        purposes = {"genesis": "root", "key": key["purpose"], "log.key": "root"}
        purpose = purposes.get(kind, "sign")
        need(key["purpose"] == purpose, "wrong-purpose", f"a {key['purpose']} key")
        for name in [name for name in body if f"{kind}/{name}" in COLUMNS]:
            lines = self._lines(f"{kind}/{name}", event, body[name])
        if kind == "genesis" and index:
            self._succeed(index, event, key)
        elif kind == "log.key":
            need(event["author"] == self.operator, "missing-role")
            self._rotate(index, body)
        elif kind in {"accredit", "acknowledge", "level"}:
            need(event["author"] == self.operator, "missing-role")
            self.acknowledged.add((body.get("index"), body.get("code", "")))
            self.level += kind == "level"
        elif kind == "key" and body["action"] == "revoke":
            old = self.keys.get(body.get("key", b""), {"party": b""})
            own = body["party"] == key["party"] == old["party"] and "revoked" not in old
            need(own and (purpose == "root" or old is key), "not-your-key")
            old["revoked"] = True
        elif kind == "key" or (kind == "party" and "parties" not in body):
            claim = Map(log=self.id, party=body.get("party"), public=body.get("public"))
            claim["purpose"] = "root" if kind == "party" else body.get("purpose")
            # Only a first key may come from elsewhere than the party's own root key.
            own = purpose == "root" and claim["party"] == key["party"]
            need(own or ("party", claim["party"]) not in self.known, "not-your-key")
            self._prove(KEY_TAG, claim, body)
            self._register(claim["party"], claim["public"], claim["purpose"])
        self._post(index, event, lines)

    @staticmethod
    def _prove(tag: bytes, claim: Map, body: Map) -> None:
        """Check that a new key signed what it is for."""
        need(None not in claim.values() and "proof" in body, "bad-body", "no proof")
        try:
            verify_signature(claim["public"], tag + encode(claim), body["proof"])
        except Refusal as refusal:
            need(None, "bad-key-proof", refusal.args[1])

    def _add_log_key(self, index: int, public: bytes, name: str) -> None:
        own = note_id(name, b"\x01" + public)
        self._once("note id", own, "key-exists")
        self._once("key", public, "key-exists")
        row = Map(vkey=(name, own, public), added=index, until=INTEGER_MAX)
        self.log_keys.append(row)

    def open_checkpoint(self, note: str, size: int) -> tuple[int, bytes]:
        """Open a checkpoint of a size, signed by all keys in force there (§7)."""
        keys = [key for key in self.log_keys if key["added"] < size <= key["until"]]
        status = FAILED if self.level == LEVEL else UNVERIFIED
        return open_checkpoint(note, *(key["vkey"] for key in keys), status=status)

    def _rotate(self, index: int, body: Map) -> None:
        """Add a log key, or retire one by a checkpoint that all of them signed."""
        signing = [key for key in self.log_keys if key["until"] == INTEGER_MAX]
        old = [key for key in signing if key["vkey"][2] == body["public"]]
        brought = {"add": ["proof"], "retire": ["checkpoint"]}[body["action"]]
        need([*{*body} - {"action", "public"}] == brought, "bad-body")
        if body["action"] == "add":
            need(len(signing) < LOG_KEYS_MAX, "too-many-log-keys")
            self._prove(LOG_KEY_TAG, Map(log=self.id, public=body["public"]), body)
            self._add_log_key(index, body["public"], self.origins[-1])
            return
        need(old, "log-key-not-in-force")
        need(len(signing) > 1, "last-log-key")
        try:
            note = body["checkpoint"].decode()
            size, root = open_checkpoint(note)
            need(max(key["added"] for key in signing) < size <= index, "too early")
            self.open_checkpoint(note, size)
        except (Refusal, UnicodeDecodeError) as error:
            need(None, "bad-handover", str(error))
        old[0].update(until=index, size=size, root=root)

    def _succeed(self, index: int, event: Map, key: Map) -> None:
        """Go on as another log, which begins with all entries so far (§7)."""
        body = event["body"]
        named, first = body.get("predecessor"), self.first
        need(named, "genesis-misplaced", "it names no predecessor")
        need("endorsement" in body, "bad-body")
        own = event["author"] == body["operator"] == self.operator
        own = own and event["key"] == sha256(b"\x01", body["root_key"])
        need(own, "genesis-key")
        here = Map(named, log=self.id, origin=self.origins[-1], size=index)
        same = [body[n] == first[n] for n in ("level", "utc_offset")]
        same += [self.decimals.get(c, d) == d for c, d in decimals(body).items()]
        need(named == here and all(same), "bad-predecessor")
        need(body["origin"] not in self.origins, "bad-predecessor", "a name of before")
        claim = Map(operator=body["operator"], origin=body["origin"], predecessor=named)
        try:
            message = SUCCESSION_TAG + encode(claim)
            verify_signature(body["root_key"], message, body["endorsement"])
        except Refusal as refusal:
            need(None, "bad-endorsement", refusal.args[1])
        signing = [old for old in self.log_keys if old["until"] == INTEGER_MAX]
        self._add_log_key(index, body["log_key"], body["origin"])
        self.origins.append(body["origin"])
        self.decimals.update(decimals(body))
        for old in signing:
            old.update(until=index, size=index, root=named["root"])
        self.id, seq = key["prev"], key["seq"]
        for each in self.keys.values():
            each.update(seq=0, prev=ZERO32)
        key.update(seq=seq, prev=self.id)

    def _post(self, index: int, event: Map, lines: list[Map]) -> None:
        """Post what an event says of money: it has to add up to nothing."""
        kind, body, moved = event["kind"], event["body"], Counter[Any]()
        held = self.held
        book, terms = (event["author"], body.get("currency")), Counter[str]()
        for part in [body, *lines]:
            terms.update({name: n for name, n in part.items() if fits(n, "n")})
        if kind == "due":
            pool = sha256(POOL_TAG, encode([body["licence"], body["run"]]))[:16]
            self.dues[index] = body["net"], body["vat"], pool
        for part in body["applies"] if kind == "payment.received" else []:
            net, vat, pool = self.dues.get(part["due"], (0, 0, b""))
            on_due, in_pool = (*book, "paid", part["due"]), (*book, "in pool", pool)
            before = held[on_due] + moved[on_due]
            paid, whole = before + part["amount"], net + vat
            need(paid <= whole, "over-applied", f"{paid} µ on due {part['due']}")
            funded = paid * net // whole - before * net // whole
            moved.update({on_due: part["amount"], in_pool: funded})
            terms.update(applied=part["amount"], funded=funded)
        if kind == "distribution":
            in_pool = (*book, "in pool", body["pool"])
            need(held[in_pool] == body["total"] + body["reserve"], "distribution-total")
            moved[in_pool] = -held[in_pool]
            for line in lines:
                gone = line["fee"] + line["cultural"] + line["net"]
                whole = line["gross"] * (line.get("state") == "payable")
                need("state" not in line or gone == whole, "distribution-lines")
                terms["waiting"] += line["gross"] - gone
                moved[f"µ{book[1]} to {line.get('party', b'').hex()}"] += line["net"]
        if kind == "reverse":
            need(body["entry"] in self.posted, "not-reversible", "it posted nothing")
            moved.subtract(self.posted.pop(body["entry"]))
            self.dues.pop(body["entry"], None)
            need(all(held[leg] + n >= 0 for leg, n in moved.items()), "pool-closed")
        legs = re.findall(r"([=+-])(\w+)", COLUMNS.get(kind, ""))
        total = sum(-terms[name] if sign == "-" else terms[name] for sign, name in legs)
        need(total == 0, "unbalanced", f"its postings add up to {total} µ")
        self.posted[index] = moved
        self.held.update(moved)

    def _lines(self, kind: str, event: Map, ref: Any) -> list[Map]:  # noqa: ANN401
        """Take a manifest in; give its lines, or totals where they can't be had."""
        order, *summed = COLUMNS[kind].split("+")
        ordered = fits(ref, "manifest") and ref["order"] == order
        need(ordered and fits(ref["totals"], kind + "+"), "bad-manifest")
        self._once("root", ref["root"], "manifest-root-reused")
        where, lines = f"manifest/{ref['root'].hex()}/", [ref["totals"]]
        header = {"author": event["author"], "id": event["id"], "kind": kind}
        header |= {"log": event["log"], "order": order, "sealed": ref["sealed"]}
        with self.report.noting(where):
            files, hashes = self.trees.pop(where, {}), list[bytes]()
            leaves = read_leaves(files, ref["lines"] + 1, hashes)
            own = next(leaves) == MANIFEST_TAG + encode(header)
            need(own, "manifest-header-mismatch")
            found = list(read_lines(leaves, kind, sealed=ref["sealed"]))
            need(tree_root(hashes) == ref["root"], "manifest-root-mismatch")
            sums = {name: sum(line[name] for line in found) for name in summed}
            need(sums == ref["totals"], "manifest-totals-mismatch")
            check_files(files, hashes, where, self.report)
            self.report.checked["manifest lines"] += len(found)
            lines[:] = found
        return lines


class Report:
    """What was checked, and notes of what failed or could not be verified."""

    def __init__(self) -> None:
        self.checked: Counter[str] = Counter()
        self.credited: Counter[str] = Counter()
        self.notes: list[Map] = []

    @contextmanager
    def noting(self, where: object, status: int = 0) -> Iterator[None]:
        """Note a refusal and go on."""
        try:
            yield
        except Refusal as refusal:
            code, said, own = refusal.args
            note = Map(where=where, code=code, message=said, status=status or own)
            self.notes.append(note)


def read_signed(path: Path) -> str:
    """Read a .tlog-proof, or the checkpoint of a public folder."""
    file = path / "checkpoint" if path.is_dir() else path
    return read_file({"": file}, "").decode("utf-8", "surrogateescape")


def verify_proof(text: str, vkey: Vkey, report: Report) -> None:
    """Verify a .tlog-proof."""
    index, proof, checkpoint, leaf = parse_proof(text)
    status = UNVERIFIED if f"\n— {vkey[0]} " in checkpoint else FAILED
    size, root = open_checkpoint(checkpoint, vkey, status=status)
    need(leaf, "leaf-missing", "it does not bring its entry along", UNVERIFIED)
    leaf_hash = sha256(b"\x00", leaf)
    need(proven_root(index, size, leaf_hash, proof) == root, "bad-inclusion-proof")
    need(parse(leaf, "entry", ENTRY_TAG)["index"] == index, "wrong-index")
    report.checked[f"entry, {index} of {size}"] += 1


def verify_folder(folder: Path, text: str, vkey: Vkey, report: Report) -> None:
    """Verify a public folder by its checkpoint."""
    trees: dict[str, Files] = {}
    for file in filter(Path.is_file, folder.rglob("*")):
        tree, tile, rest = file.relative_to(folder).as_posix().partition("tile/")
        trees.setdefault(tree, {})[tile + rest] = file
    trees.pop("checkpoint", None)
    size, root = open_checkpoint(text)  # the entries say whose signatures it needs
    files, hashes, log = trees.pop("", {}), list[bytes](), Log(vkey, trees, report)
    for index, leaf in enumerate(read_leaves(files, size, hashes)):
        with report.noting(f"entry {index}"):
            log.take(index, leaf, hashes)
    files |= {tree + name: path for tree in trees for name, path in trees[tree].items()}
    check_files(files, hashes, "", report)
    for note in report.notes:  # a broken rule is noted under the bare index
        note["status"] *= (note["where"], note["code"]) not in log.acknowledged
    report.credited.update({who: n for who, n in log.held.items() if type(who) is str})
    for key in log.log_keys:
        with report.noting(f"handover of entry {key['until']}"):
            same = "root" not in key or tree_root(hashes[: key["size"]]) == key["root"]
            need(same, "root-mismatch")
    held = [key["vkey"] for key in log.log_keys if key["vkey"][0] == log.origins[-1]]
    need(
        vkey in held or not log.log_keys, "wrong-origin", f"{vkey[0]!a} has no such key"
    )
    log.log_keys = log.log_keys or [Map(vkey=vkey, added=-1, until=INTEGER_MAX)]
    log.open_checkpoint(text, size)
    need(tree_root(hashes) == root, "root-mismatch")


WORDS = {0: "acknowledged", 3: "INVALID", 4: "FAILED", 5: "NOT VERIFIED"}
SHOWN_MAX = 10


def summary(report: Report, *, ok: bool) -> Iterator[str]:
    """Say what was checked, who was credited (the first few), and what was noted."""
    yield from (f"{n:>20,} {name}" for name, n in report.checked.items())
    credited = [(name, micro) for name, micro in report.credited.items() if micro]
    if credited:
        more = f"; the first {SHOWN_MAX} (--json has all)"
        more = more if len(credited) > SHOWN_MAX else ""
        yield f"{len(credited):>20,} balances credited{more}"
    for name, micro in credited[:SHOWN_MAX]:
        yield f"{Decimal(micro).scaleb(-6):>20,f} {name.removeprefix('µ')}"
    for note in report.notes:
        yield WORDS[note["status"]] + ": {where}: {message} [{code}]".format(**note)
    entries = report.checked["entries and signatures"]
    lines = report.checked["manifest lines"]
    if ok and entries:
        counted = f"{entries} entries, {entries} signatures, {lines} lines"
        yield f"ok: {counted}; not replayed"
    elif ok and any(name.startswith("entry, ") for name in report.checked):
        yield "ok: the log holds this entry"


def main(arguments: list[str] | None = None, signed: str | None = None) -> int:
    """Verify what the command line names, as read here or before, and say so."""
    given = PARSER.parse_args(arguments)
    report = Report()
    with report.noting("--vkey", INVALID):
        vkey = parse_vkey(given.vkey)
        with report.noting(str(given.path)):
            text = read_signed(given.path) if signed is None else signed
            if given.path.is_dir():
                verify_folder(given.path, text, vkey, report)
            else:
                verify_proof(text, vkey, report)
    status = max((n["status"] for n in report.notes), key=[0, 5, 3, 4].index, default=0)
    document = {"ok": status == 0, "status": status, **vars(report)}
    rows = [json.dumps(document)] if given.json else summary(report, ok=status == 0)
    print("\n".join(rows).encode(errors="replace").decode())
    return status


if __name__ == "__main__":
    raise SystemExit(main())
