"""Score one model on one benchmark by log-likelihood, item by item."""
