"""Kind to rule: the public rule of each kind, and the full one where it has lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.replay import rules_distribution
from ledger.replay import rules_identity
from ledger.replay import rules_log_keys
from ledger.replay import rules_payments
from ledger.replay import rules_payouts
from ledger.replay import rules_reverse
from ledger.replay import rules_rights
from ledger.replay import rules_terms
from ledger.replay import rules_training

if TYPE_CHECKING:
    from ledger.replay.outcome import FullRule
    from ledger.replay.outcome import Rule

PUBLIC_RULES: dict[str, Rule] = {
    "accredit": rules_identity.accredit,
    "acknowledge": rules_identity.acknowledge,
    "catalogue": rules_rights.catalogue,
    "distribution": rules_distribution.distribution,
    "due": rules_payments.due,
    "genesis": rules_identity.genesis,
    "key": rules_identity.key,
    "level": rules_identity.level,
    "licence.accept": rules_terms.licence_accept,
    "licence.grant": rules_terms.licence_grant,
    "log.key": rules_log_keys.log_key,
    "model.version": rules_training.model_version,
    "party": rules_identity.party,
    "party.verify": rules_identity.party_verify,
    "payment.received": rules_payments.payment_received,
    "payout": rules_payouts.payout,
    "payout.result": rules_payouts.payout_result,
    "reverse": rules_reverse.reverse,
    "run.close": rules_training.run_close,
    "run.open": rules_training.run_open,
    "scheme": rules_terms.scheme,
    "shares": rules_rights.shares,
    "tariff": rules_terms.tariff,
}

FULL_RULES: dict[str, FullRule] = {
    "acknowledge": rules_identity.acknowledge_full,
    "catalogue": rules_rights.catalogue_full,
    "distribution": rules_distribution.distribution_full,
    "due": rules_payments.due_full,
    "key": rules_identity.key_full,
    "party": rules_identity.party_full,
    "party.verify": rules_identity.party_verify_full,
    "payout": rules_payouts.payout_full,
    "payout.result": rules_payouts.payout_result_full,
    "reverse": rules_reverse.reverse_full,
    "run.close": rules_training.run_close_full,
    "run.open": rules_training.run_open_full,
    "shares": rules_rights.shares_full,
}
