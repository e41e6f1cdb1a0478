"""An event of each kind to start from, and the commands that make some of them.

Bodies without the fields that lines bring in; every id and entry in them is made up.
"""

from __future__ import annotations

from typing import Any

_LAB = "1ab01ab01ab01ab01ab01ab01ab01ab0"
_HOLDER = "a57157a57157a57157a57157a57157a5"

COMMANDS = {
    "catalogue": "import catalogue",
    "distribution": "distribute",
    "due": "bill",
    "genesis": "init",
    "key": "key new",
    "log.key": "key rotate",
    "party": "key new",
    "payment.received": "receive",
    "payout": "payout",
    "shares": "import catalogue",
}

SAMPLES: dict[str, dict[str, Any]] = {
    "accredit": {"action": "grant", "party": _LAB, "role": "lab"},
    "acknowledge": {"code": "due-quantity", "index": 17},
    "catalogue": {},
    "due": {
        "currency": "SEK",
        "day": 20_800,
        "licence": 9,
        "net": 1_000_000_000_000,
        "quantity": 9_949,
        "run": "run-1",
        "vat": 250_000_000_000,
    },
    "licence.accept": {"grant": 9},
    "licence.grant": {
        "catalogues": [5],
        "covers": {
            "any_version": True,
            "derivatives": False,
            "sides": ["master"],
            "versions": [],
        },
        "lab": _LAB,
        "scheme": 8,
        "tariff": 7,
        "territories": ["001"],
    },
    "model.version": {"model": "m", "parents": [], "synthetic": [], "version": "1"},
    "party.verify": {"party": _HOLDER},
    "payment.received": {
        "applies": [{"amount": 1_250_000_000_000, "due": 13}],
        "charges": 0,
        "currency": "SEK",
        "gross": 1_250_000_000_000,
        "payer": _LAB,
    },
    "payout.result": {"charges": 0, "outcome": "confirmed", "payout": 16},
    "reverse": {"cause": "wrong-quantity", "entry": 13},
    "run.close": {
        "ended": 1_764_086_400_000,
        "run": "run-1",
        "started": 1_764_000_000_000,
    },
    "run.open": {
        "licences": [9],
        "model": "m",
        "run": "run-1",
        "use": "gen_train",
        "version": "1",
    },
    "scheme": {
        "basis": "per_recording",
        "clear": "each",
        "cultural_base": "after_fee",
        "cultural_ppm": 100_000,
        "fee_ppm": 96_000,
        "outside": "renormalise",
        "pool": "fixed",
        "reserve_ppm": 0,
        "rule": "alloc/1",
        "sides": {"composition": 0, "master": 1, "performer": 0},
    },
    "shares": {
        "effective": 20_800,
        "kind": "transfer",
        "table": {
            "lines": [{"party": _HOLDER, "ppm": 1_000_000, "role": "owner"}],
            "side": "master",
            "subject": "demo:r000001",
        },
    },
    "tariff": {"amount": 1_000_000_000_000, "currency": "SEK", "per": "run"},
}
