"""What leaves the trainer: merged folders, GGUF files, and the checks on them."""
