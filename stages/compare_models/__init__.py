"""Compare base and tuned model on the same items, with paired tests."""
