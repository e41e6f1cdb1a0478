"""Readers of the test vectors: by the library, and by the stand-alone verifier."""
