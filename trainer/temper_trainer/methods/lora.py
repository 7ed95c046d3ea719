"""LoRA (arXiv 2106.09685) through PEFT: low-rank updates beside frozen linear layers."""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from peft.tuners.lora.layer import Linear as LoraLinear
from safetensors.torch import save_file

from ..errors import TrainerError
from ..files import sync_file, write_json
from ..job import LowRank
from ..random_state import RandomState
from . import Encode, Method
from .four_bit import FourBitLinear
from .lora_linear import install

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
NAME = "default"


def attach(config: LowRank, model, random: RandomState, _encode: Encode | None = None) -> "LoraMethod":
    layers = linear_layers(model)
    chosen = choose(config, layers)
    smallest = min(min(layer.in_features, layer.out_features) for layer in chosen.values())
    if config.rank > smallest:
        message = f"Cannot use method.rank {config.rank}: the smallest layer it would update is {smallest} wide"
        raise TrainerError("bad_method", message, f"Use {smallest} or less")
    return LoraMethod(config, model, sorted({name.rpartition(".")[2] for name in chosen}), random)


def linear_layers(model) -> dict[str, torch.nn.Linear]:
    """Every linear layer but the language-model head."""
    head = model.get_output_embeddings()
    return {
        name: layer for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear) and layer is not head
    }


def choose(config: LowRank, layers: dict[str, torch.nn.Linear]) -> dict[str, torch.nn.Linear]:
    known = sorted({name.rpartition(".")[2] for name in layers})
    wanted = {"all-linear": known, "attention": list(ATTENTION)}.get(str(config.target), config.target)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        names = ", ".join(f'"{name}"' for name in unknown)
        message = f"Cannot use method.target: the base has no linear layer called {names}"
        raise TrainerError("bad_method", message, f"Its linear layers are {', '.join(known)}")
    return {name: layer for name, layer in layers.items() if name.rpartition(".")[2] in wanted}


class LoraMethod(Method):
    artifact = "adapter"
    adds = True

    def __init__(self, config: LowRank, model, targets: list[str], random: RandomState):
        self.causal = model
        self.config = LoraConfig(
            task_type="CAUSAL_LM",
            r=config.rank,
            lora_alpha=int(config.alpha) if config.alpha.is_integer() else config.alpha,
            lora_dropout=config.dropout,
            target_modules=targets,
            use_rslora=config.rslora,
        )
        model.requires_grad_(False)
        self.model = get_peft_model(model, self.config)
        self.layers = {name: layer for name, layer in self.model.named_modules() if isinstance(layer, LoraLinear)}
        install(self.layers.values(), random, NAME)

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return {name: tensor for name, tensor in self.model.named_parameters() if tensor.requires_grad}

    def save(self, folder: Path) -> None:
        """PEFT's own format, with sorted names so that the same weights give the same bytes."""
        folder.mkdir(parents=True)
        tensors = get_peft_model_state_dict(self.model)
        path = folder / "adapter_model.safetensors"
        save_file({name: tensors[name].contiguous().cpu() for name in sorted(tensors)}, path, {"format": "pt"})
        sync_file(path)
        config = self.config.to_dict() | {"inference_mode": True, "base_model_name_or_path": None}
        config["target_modules"] = sorted(config["target_modules"])
        write_json(folder / "adapter_config.json", json.loads(json.dumps(config, default=sorted)))

    @torch.no_grad()
    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, layer in self.layers.items():
            update = layer.lora_B[NAME].weight.float() @ layer.lora_A[NAME].weight.float()
            base = layer.base_layer
            weight = base.original() if isinstance(base, FourBitLinear) else base.weight
            yield f"{name.removeprefix('base_model.model.')}.weight", weight.float() + update * layer.scaling[NAME]
