"""What an author can say: one frozen class for each kind of event (money.md §7)."""
