"""Fast pure functions over Arrow texts: fold and split into words once, then count, sign and look up over their hashes."""
