"""QLoRA (arXiv 2305.14314): LoRA over a base that is held in four bits while training."""

import numpy as np
import torch

from ..bases.base import Base
from ..bases.loaded import check_loaded
from ..bases.weights import Weights
from ..errors import TrainerError
from ..training.device import Environment
from .four_bit import FourBitLinear, read_tensor
from .lora import LoraMethod, attach, linear_layers

__all__ = ["LoraMethod", "attach", "load"]


def load(base: Base, environment: Environment):
    """One tensor at a time: the linear layers are never in memory together."""
    from accelerate import init_empty_weights
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(base.dir, local_files_only=True, trust_remote_code=False)
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(config, dtype=environment.torch_dtype)
    model.tie_weights()  # being emptied has parted what is tied
    file, device = Weights(base.dir / "model.safetensors"), torch.device(environment.device)
    check_names(model, file, base.info["tied"])
    for name, layer in linear_layers(model).items():
        model.set_submodule(name, FourBitLinear(layer, file, name, environment.torch_dtype, device))
    for name, parameter in list(model.named_parameters()):
        if parameter.is_meta:
            parent, _, last = name.rpartition(".")
            values = read_tensor(file, name).to(device, environment.torch_dtype)
            setattr(model.get_submodule(parent), last, torch.nn.Parameter(values, requires_grad=False))
    model.tie_weights()
    return model.to(device).eval()


def check_names(model, file: Weights, tied: bool) -> None:
    """The same that is asked of a base which transformers loads."""
    parameters = dict(model.named_parameters())
    buffers = {name for name, _ in model.named_buffers()}
    found = {
        "missing_keys": [name for name in parameters if name not in file.entries],
        "mismatched_keys": [
            (name, file.entries[name].shape, tensor.shape)
            for name, tensor in parameters.items()
            if name in file.entries and file.entries[name].shape != tuple(tensor.shape)
        ],
        "unexpected_keys": [
            name for name in file.entries if name not in {*parameters, *buffers, *model.all_tied_weights_keys}
        ],
    }
    what, hint = "hold the base in four bits", "Use method.kind: lora"
    check_loaded(model, found, tied, what, hint)
    for name, source in model.all_tied_weights_keys.items():
        both = name in file.entries and source in file.entries
        if both and not np.array_equal(file.read(name), file.read(source)):
            message = f'Cannot {what}: config.json ties "{name}" to "{source}", and the file has different ones'
            raise TrainerError("unsupported_base", message, hint)
