"""Measured speed and memory of MoLDS, beside public peers."""
