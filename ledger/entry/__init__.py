"""The bytes that authors sign and logs keep: canonical MessagePack, events, entries.

    canonical ◄── envelope ◄── verify ◄── sign
        ▲            grammar ◄──┘
        └── manifest

This package knows what an event is made of, and nothing of what the kinds of events
mean: a body is a canonical map here, no more (format.md §1, §2, §4, §5).
"""
