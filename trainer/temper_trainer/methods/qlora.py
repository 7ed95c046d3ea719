"""QLoRA (arXiv 2305.14314): LoRA over a base that is held in four bits while training."""

import torch

from ..base import Base
from ..bases.weights import Weights
from ..device import Environment
from ..errors import TrainerError
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
    check_names(model, file)
    for name, layer in linear_layers(model).items():
        model.set_submodule(name, FourBitLinear(layer, file, name, environment.torch_dtype, device))
    for name, parameter in list(model.named_parameters()):
        if parameter.is_meta:
            parent, _, last = name.rpartition(".")
            values = read_tensor(file, name).to(device, environment.torch_dtype)
            setattr(model.get_submodule(parent), last, torch.nn.Parameter(values, requires_grad=False))
    model.tie_weights()
    return model.to(device).eval()


def check_names(model, file: Weights) -> None:
    missing = [name for name, _ in model.named_parameters() if name not in file.entries]
    if missing:
        message = f'Cannot hold the base in four bits: its file has no tensor "{missing[0]}"'
        raise TrainerError("unsupported_base", message, "Take method.kind: lora")
