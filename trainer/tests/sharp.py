"""Bases whose answers depend on everything: fresh random ones attend evenly and forgive a wrong rotation."""

import json
from pathlib import Path

import tiny

LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
LINEAR_ROPE = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}
YARN_ROPE = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 128}


def make_sharp(folder: Path, arch: str, **options) -> Path:
    """`tiny.make_base` with weights of a trained model's size."""
    import torch
    from safetensors.torch import load_file, save_file

    tiny.make_base(folder, arch, **options)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for name, tensor in tensors.items():
        if tensor.ndim == 2:
            tensor.mul_(10 if ".q_proj" in name or ".k_proj" in name else 4)
    generator = torch.Generator().manual_seed(1)
    for name in [name for name in tensors if name.endswith("bias")]:
        tensors[name] = torch.randn(tensors[name].shape, generator=generator)
    save_file(tensors, path, {"format": "pt"})
    return folder


def say_tied(folder: Path) -> Path:
    """As models are left by a merge: config.json ties what the weights keep apart."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tie_word_embeddings": True}))
    return folder
