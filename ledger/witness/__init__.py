"""A witness of other people's logs (C2SP tlog-witness).

    folder ◄── cosigning

It sees one history of each log that it knows, and cosigns it as far as that goes: a
log that shows others another history cannot have both cosigned. What asks the
witnesses of our own log is `ledger.witnessing`; what serves this one, `web.witness`.
"""
