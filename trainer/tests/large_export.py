"""Exports a file of 8 billion weights and prints the most memory that was not the mapped input, in bytes.

Usage: large_export.py FOLDER. The input is sparse: zeros that take no room on the disk.
"""

import sys
import threading
import time
from pathlib import Path

import numpy as np

from temper_trainer.export.merge import AddedTokens
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.reader import GgufFile, tensor_bytes
from temper_trainer.gguf.splice import splice
from temper_trainer.gguf.types import F16, F32
from temper_trainer.gguf.values import i32s, string, strings, u32
from temper_trainer.gguf.writer import GgufWriter

LAYERS, HIDDEN, FEED_FORWARD, KV, VOCAB, SOFT, CHANGED = 32, 4096, 14336, 1024, 128256, 16, 4
LINEAR = {
    "attn_q": (HIDDEN, HIDDEN),
    "attn_k": (KV, HIDDEN),
    "attn_v": (KV, HIDDEN),
    "attn_output": (HIDDEN, HIDDEN),
    "ffn_gate": (FEED_FORWARD, HIDDEN),
    "ffn_up": (FEED_FORWARD, HIDDEN),
    "ffn_down": (HIDDEN, FEED_FORWARD),
}


class SparseWriter(GgufWriter):
    def skip(self, name: str, kind: int) -> None:
        size = tensor_bytes(name, list(reversed(self._shapes[name])), kind)
        self._file.truncate(self._file.seek(self._padded(size), 1))
        self._written[name] = kind


def shapes() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (VOCAB, HIDDEN), "output.weight": (VOCAB, HIDDEN)}
    for layer in range(LAYERS):
        found |= {f"blk.{layer}.{name}.weight": shape for name, shape in LINEAR.items()}
        found |= {f"blk.{layer}.{name}_norm.weight": (HIDDEN,) for name in ("attn", "ffn")}
    return found | {"output_norm.weight": (HIDDEN,)}


def make_input(path: Path) -> None:
    kv = {
        "general.architecture": string("llama"),
        "general.file_type": u32(1),
        "llama.vocab_size": u32(VOCAB),
        "tokenizer.ggml.tokens": strings([f"t{index}" for index in range(VOCAB)]),
        "tokenizer.ggml.token_type": i32s([1] * VOCAB),
    }
    with SparseWriter(path, kv, shapes()) as out:
        for name, shape in shapes().items():
            out.skip(name, F32 if len(shape) == 1 else F16)


def watch(peak: list[int]) -> None:
    while True:
        status = Path("/proc/self/status").read_text()
        peak[0] = max(peak[0], int(status.split("RssAnon:")[1].split()[0]) * 1024)
        time.sleep(0.01)


def main(folder: Path) -> None:
    make_input(folder / "base.gguf")
    peak = [0]
    threading.Thread(target=watch, args=(peak,), daemon=True).start()
    names = [f"blk.{layer}.{name}.weight" for layer in range(CHANGED) for name in LINEAR]
    replaced = ((name, np.zeros(shapes()[name], np.float32)) for name in names)
    rows = np.zeros((SOFT, HIDDEN), np.float32)
    soft = AddedTokens([f"<|soft_{index:03}|>" for index in range(SOFT)], rows, rows)
    changes = Changes(config={"vocab_size": VOCAB + SOFT}, added_tokens=soft)
    splice(GgufFile(folder / "base.gguf"), folder / "out.gguf", replaced, "f16", changes, lambda *_: None)
    written = GgufFile(folder / "out.gguf")
    assert written.tensors["token_embd.weight"].shape == (VOCAB + SOFT, HIDDEN)
    print(peak[0])


main(Path(sys.argv[1]))
