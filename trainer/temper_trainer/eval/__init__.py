"""Scores on held-out rows: losses, answers and metrics."""
