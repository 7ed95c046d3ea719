"""Decoder layers of the llama form, computed in few large operations instead of many small ones."""

from .install import fused_layers, fusible

__all__ = ["fused_layers", "fusible"]
