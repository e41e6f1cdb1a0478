"""Private keys at rest: the key file, and what opens it."""
