"""The arithmetic of money: pure integers, no storage, no clock, no events.

    money        micro-units and their decimal text
    allocation   alloc/1: one sum into weighted parts by largest remainder
    tree         alloc/1 from a pool down to its gross lines
    cells        the lower half of the tree: recording → work → share
    holders      the upper half of basis per_holder: verified, heads, other
    deductions   reserve, fee, cultural deduction, payout
    tariff       what a due comes to: flat, slab, graduated

Every function here is exact and total over its stated range; none uses floats
or ``Decimal``. The rules are those of ``ledger/docs/money.md``, §2, §4 and §5.
"""
