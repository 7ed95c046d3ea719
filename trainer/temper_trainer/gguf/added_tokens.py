"""A vocabulary with tokens that the base does not have: more metadata, more rows, a head of its own."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..archs.architecture import EMBEDDING, GGUF_EMBEDDING, GGUF_HEAD, HEAD
from ..errors import FAILED, TrainerError
from ..export.merge import AddedTokens
from .quantize import quantize
from .tokenizer import CONTROL
from .types import F32
from .values import Value, boolean, f32s, i32s, strings

APPENDABLE = (0, 1, 30, 2, 3, 6, 7, 8)
"""Types in which rows can be added to a base's own: whole ones, and those whose blocks can be made here."""
NAMES = {EMBEDDING: GGUF_EMBEDDING, HEAD: GGUF_HEAD}


def with_tokens(kv: Mapping[str, Value], names: Sequence[str]) -> dict[str, Value]:
    """Metadata with the tokens appended. They come before BOS, so the text of a prompt says where that is."""
    tokens = kv["tokenizer.ggml.tokens"].decode()
    taken = set(tokens).intersection(names)
    if taken:
        reason = f'its vocabulary has "{min(taken)}" already'
        raise TrainerError("bad_export", f"Cannot add soft tokens to the base: {reason}", exit_code=FAILED)
    added = {"tokenizer.ggml.tokens": strings([*tokens, *names]), "tokenizer.ggml.add_bos_token": boolean(False)}
    more = (("token_type", i32s, CONTROL), ("scores", f32s, 0.0))
    for name, pack, value in more:
        key = f"tokenizer.ggml.{name}"
        if key in kv:
            added[key] = pack([*kv[key].decode(), *[value] * len(names)])
    if "tokenizer.ggml.token_type" not in kv:
        added["tokenizer.ggml.token_type"] = i32s([1] * len(tokens) + [CONTROL] * len(names))
    # Engines that know this key never sample them, whatever the head says
    suppressed = kv["tokenizer.ggml.suppress_tokens"].decode() if "tokenizer.ggml.suppress_tokens" in kv else []
    added["tokenizer.ggml.suppress_tokens"] = i32s([*suppressed, *range(len(tokens), len(tokens) + len(names))])
    return {**kv, **added}


class GrownParts:
    """The base's tensors, with more rows in embedding and head. A tied head becomes one of its own."""

    def __init__(self, parts, added: AddedTokens):
        self._parts = parts
        rows = added.rows(tied=GGUF_HEAD not in parts.shapes)
        self._more = {NAMES[name]: (NAMES[source], more) for name, (source, more) in rows.items()}
        self.shapes = {**parts.shapes, **{name: self._shape(name) for name in self._more}}
        self.precise = [name for name in self._more if name != GGUF_HEAD]

    def type(self, name: str) -> int:
        if name not in self._more:
            return self._parts.type(name)
        own = self._parts.type(self._more[name][0])
        return own if own in APPENDABLE else F32

    def data(self, name: str) -> Iterator[np.ndarray]:
        source, more = self._more.get(name, (name, None))
        kind = self.type(name)
        if kind != self._parts.type(source):
            yield from (quantize(name, values, kind) for values in self.values(name))
            return
        yield from self._parts.data(source)
        if more is not None:
            yield quantize(name, more, kind)

    def values(self, name: str) -> Iterator[np.ndarray]:
        source, more = self._more.get(name, (name, None))
        yield from self._parts.values(source)
        if more is not None:
            yield more

    def _shape(self, name: str) -> tuple[int, int]:
        source, more = self._more[name]
        rows, width = self._parts.shapes[source]
        return rows + len(more), width
