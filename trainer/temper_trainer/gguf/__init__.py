"""GGUF in and out: read a container, map it to Hugging Face names, and write a complete model back."""
