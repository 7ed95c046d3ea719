"""Examples in: rows, chat templates, tokens and label masks."""
