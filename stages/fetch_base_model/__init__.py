"""Bring the base model (safetensors only) with its licence and revision."""
