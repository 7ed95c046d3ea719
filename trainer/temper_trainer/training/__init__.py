"""The training loop and what computes its rows."""
