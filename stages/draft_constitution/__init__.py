"""Find opinion groups, score the consensus on every statement and select the principles."""
