"""Apply the decisions that people took on the draft."""
