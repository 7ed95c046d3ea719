"""What an exported file has otherwise than its base, besides the values of tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..export.merge import AddedTokens
from .added_tokens import GrownParts, with_tokens
from .values import Value, u32

CONFIG_KEYS = {"intermediate_size": "feed_forward_length", "vocab_size": "vocab_size"}
"""Keys of config.json and, below the architecture, of GGUF. Whether a head is tied shows in its tensors alone."""


@dataclass(frozen=True)
class Changes:
    metadata: Mapping[str, Value | None] = field(default_factory=dict)
    """Metadata to set or, with None, to leave out."""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes of replaced tensors, by their names in GGUF, that are not the base's."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Keys of config.json that change."""
    added_tokens: AddedTokens | None = None

    def applied(self, kv: Mapping[str, Value], arch: str) -> dict[str, Value]:
        sizes = {f"{arch}.{CONFIG_KEYS[key]}": u32(size) for key, size in self.config.items() if key in CONFIG_KEYS}
        result = {key: value for key, value in ({**kv} | sizes | self.metadata).items() if value is not None}
        return with_tokens(result, self.added_tokens.tokens) if self.added_tokens else result

    def grown(self, parts):
        return GrownParts(parts, self.added_tokens) if self.added_tokens else parts
