"""Mixes of K-quants: which type each tensor has, as `llama-quantize` of llama.cpp chooses without an importance matrix.

The head, the embedding where it is the head, and some layers of `attn_v` and `ffn_down` lose most by few bits, so they
have more.
"""

import re
from collections.abc import Mapping

from .k_quants import SUPER
from .types import F16, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0

MIXES = {"q4_k_m": Q4_K, "q5_k_m": Q5_K, "q6_k": Q6_K}
"""The type most tensors have."""
NARROWER = {Q4_K: Q5_0, Q5_K: Q5_1, Q6_K: Q8_0}
"""For rows that are not a multiple of 256, in blocks of 32."""
KEPT = ("_norm.weight", "ffn_gate_inp.weight", "ssm_conv1d", "shortconv.conv.weight", "altup", "laurel")
"""Matrices that are too small, or too sensitive, to be quantised."""
VALUE = re.compile(r"blk\.(\d+)\.(attn_v|attn_qkv|attn_kv_b)\.weight")
DOWN = re.compile(r"blk\.(\d+)\.ffn_down")
LAYER = re.compile(r"blk\.(\d+)\.")


class Mix:
    """Of the tensors of one file, by `shapes`: rows first."""

    def __init__(self, quantization: str, shapes: Mapping[str, tuple[int, ...]]):
        self._most, self._shapes = MIXES[quantization], shapes
        self._layers = 1 + max((int(found[1]) for name in shapes if (found := LAYER.match(name))), default=-1)
        self._values = sorted({int(found[1]) for name in shapes if (found := VALUE.match(name))})
        experts = [shape[0] for name, shape in shapes.items() if DOWN.match(name) and len(shape) == 3]
        self._experts = max(experts, default=0)

    def type(self, name: str) -> int | None:
        """None for a matrix that is not quantised."""
        if not name.endswith("weight") or any(part in name for part in KEPT):
            return None
        wanted, row = self._chosen(name), self._shapes[name][-1]
        if wanted in NARROWER and row % SUPER:
            wanted = NARROWER[wanted]
        return F16 if row % 32 else wanted

    def _chosen(self, name: str) -> int:
        if name == "output.weight" or (name == "token_embd.weight" and "output.weight" not in self._shapes):
            return Q6_K
        if found := VALUE.match(name):
            return self._of_values(name, self._values.index(int(found[1])))
        if self._experts == 8 and ".attn_k.weight" in name:
            return Q8_0
        if self._experts == 8 and ".attn_output.weight" in name and self._most == Q4_K:
            return Q5_K
        if found := DOWN.match(name):
            return Q6_K if more_bits(int(found[1]), self._layers) else self._most
        return self._most

    def _of_values(self, name: str, place: int) -> int:
        if self._experts == 8:
            return Q8_0
        wanted = Q6_K if more_bits(place, len(self._values)) else self._most
        # Eight heads share them in models of 70B, so that they are small and matter
        shared = self._layers == 80 and self._shapes[name][0] < self._shapes[name][-1]
        return Q5_K if shared and wanted == Q4_K else wanted


def more_bits(place: int, count: int) -> bool:
    """Of the layers the first eighth, the last, and a third of those between."""
    first = count // 8
    return place < first or place >= 7 * count // 8 or (place - first) % 3 == 2
