"""A prefix as a folder that PEFT loads."""

import json
from pathlib import Path

import torch
from peft import PromptLearningConfig
from safetensors.torch import save_file

from ..files import sync_file, write_json


def save_prompt(folder: Path, kind: PromptLearningConfig, base, values: torch.Tensor, heads: int | None = None) -> None:
    """`kind` says which sort of prompt; `heads` is for one of keys and values."""
    kind.task_type = "CAUSAL_LM"
    kind.inference_mode = True
    kind.num_layers = base.num_hidden_layers
    kind.num_attention_heads = heads or base.num_attention_heads
    kind.num_transformer_submodules = 1
    folder.mkdir(parents=True)
    path = folder / "adapter_model.safetensors"
    save_file({"prompt_embeddings": values.detach().float().cpu().contiguous()}, path, {"format": "pt"})
    sync_file(path)
    write_json(folder / "adapter_config.json", json.loads(json.dumps(kind.to_dict(), default=str)))
