"""Transparency-log formats: trees, tiles, signed notes, checkpoints and proofs.

    text ◄── note ◄── checkpoint ◄── proof ◄── policy ──► policy_text
    ed25519 ◄──┘      ▲  merkle ◄──────┘ └── tiles
                      └── cosignature, witness_messages

This package knows nothing of entries, music or money: it can be lifted out and
used for any log that follows RFC 6962 and the C2SP tlog specifications.
"""
