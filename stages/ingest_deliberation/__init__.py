"""Read the deliberation's statements and votes; make participants pseudonymous."""
