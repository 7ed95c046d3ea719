"""A GGUF file as a Hugging Face folder: config, weights and tokenizer."""

import json
from pathlib import Path

from ..archs import architecture_of
from ..gguf.config import hf_config
from ..gguf.reader import GgufFile, Tensor
from ..gguf.tokenizer import write_tokenizer
from ..job.events import Progress
from .weights import Entry, WeightsWriter

KEPT = {0: "F32", 1: "F16", 30: "BF16"}
"""Types that PyTorch has too. Anything else is blocks, and becomes fp32."""
PHASE = "converting the base"


def convert_gguf(source: Path, folder: Path, progress: Progress, name: str | None = None) -> None:
    """`name` is what messages call the file: not the copy in the cache."""
    file = GgufFile(source, name)
    config = hf_config(file)
    arch = architecture_of(config["model_type"])
    names = arch.tensors(config)
    progress(PHASE, 0, len(names) + 1)
    entries = {arch.hf_name(name): _entry(file.tensors[name]) for name in names}
    with WeightsWriter(folder / "model.safetensors", entries) as out:
        for done, tensor in enumerate(names, start=1):
            rows = arch.to_hf_rows(tensor, file.values(tensor), config)
            out.write(arch.hf_name(tensor), rows)
            progress(PHASE, done, len(names) + 1)
    stored = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    config["dtype"] = stored[entries["model.embed_tokens.weight"].dtype]
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    write_tokenizer(file, folder)
    progress(PHASE, len(names) + 1, len(names) + 1)


def _entry(tensor: Tensor) -> Entry:
    return Entry(KEPT.get(tensor.type, "F32"), tensor.shape)
