"""Prepares, trains, evaluates and exports one job folder. See ../README.md."""
