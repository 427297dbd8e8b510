"""Teach the model to prefer the answer that follows the constitution (direct preference optimisation)."""
