"""The project's own tools: set-up and tests, test vectors, a stand-alone verifier."""
