"""The rules that choose principles from the statements that passed screening: one file per rule."""
