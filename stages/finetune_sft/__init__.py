"""Teach the base model the revised answers (supervised fine-tuning)."""
