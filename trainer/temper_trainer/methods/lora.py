"""LoRA (arXiv 2106.09685) through PEFT: low-rank updates beside frozen linear layers."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from peft.tuners.lora.layer import Linear as LoraLinear
from safetensors.torch import save_file
from torch.nn.functional import linear

from ..errors import TrainerError
from ..files import sync_file, write_json
from ..job.settings import LowRank
from ..training.random_state import RandomState
from . import Encode, Method, recorded
from .four_bit import FourBitLinear
from .lora_linear import install

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
NAME = "default"
STATE_SPACES = ("falcon_h1", "mamba", "mamba2", "falcon_mamba", "nemotron_h")
READ_DIRECTLY = ("out_proj", "conv1d")
PREFIX = "base_model.model."


def attach(config: LowRank, model, random: RandomState, _encode: Encode | None = None) -> "LoraMethod":
    layers = linear_layers(model)
    chosen = choose(config, layers)
    check_allowed(model.config.model_type, chosen)
    check_rank(config.rank, chosen)
    try:
        method = LoraMethod(config, model, last_names(chosen), random)
    except ValueError as error:  # PEFT refuses layers by name
        message = f"Cannot use method.target on this base: {error}"
        raise TrainerError("bad_method", message, f"Its linear layers are {', '.join(last_names(layers))}") from error
    method.check_complete(chosen)
    return method


def check_rank(rank: int, chosen: dict[str, torch.nn.Linear]) -> None:
    widths = {name: min(layer.in_features, layer.out_features) for name, layer in chosen.items()}
    smallest = min(widths.values())
    if rank > smallest:
        message = f"Cannot use method.rank {rank}: the smallest layer it would update is {smallest} wide"
        narrow = last_names(name for name, width in widths.items() if width < rank)
        rest = [name for name in last_names(chosen) if name not in narrow]
        targets = f", or set method.target to [{', '.join(rest)}]" if rest else ""
        raise TrainerError("bad_method", message, f"Use {smallest} or less{targets}")


def linear_layers(model) -> dict[str, torch.nn.Linear]:
    """Every linear layer but the language-model head."""
    head = model.get_output_embeddings()
    return {name: layer for name, layer in model.named_modules() if is_linear(layer) and layer is not head}


def is_linear(layer) -> bool:
    """A layer that is one by descent may compute something else, such as a router."""
    if not isinstance(layer, torch.nn.Linear):
        return False
    plain = type(layer).forward in (torch.nn.Linear.forward, FourBitLinear.forward)
    if plain or layer.weight.is_meta:
        return plain
    with torch.no_grad():
        x = torch.linspace(-1, 1, layer.in_features, dtype=layer.weight.dtype, device=layer.weight.device)[None]
        found = layer(x)
        return isinstance(found, torch.Tensor) and torch.allclose(found, linear(x, layer.weight, layer.bias), rtol=1e-2)


def last_names(layers: Iterable[str]) -> list[str]:
    return sorted({name.rpartition(".")[2] for name in layers})


def check_allowed(arch: str, chosen: Iterable[str]) -> None:
    """Kernels of these architectures read such a layer's weight without calling the layer: an update would be lost."""
    refused = [name for name in last_names(chosen) if arch in STATE_SPACES and name in READ_DIRECTLY]
    if refused:
        rest = [name for name in last_names(chosen) if name not in READ_DIRECTLY]
        message = f'Cannot use method.target: PEFT cannot update {", ".join(refused)} of a base of type "{arch}"'
        raise TrainerError("bad_method", message, f"Set method.target to [{', '.join(rest)}]")


def choose(config: LowRank, layers: dict[str, torch.nn.Linear]) -> dict[str, torch.nn.Linear]:
    known = last_names(layers)
    if not known:
        message = f"Cannot use method.kind {config.kind}: the base has no linear layers besides its head"
        raise TrainerError("bad_method", message, "Take method.kind: full")
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

    def check_complete(self, chosen: Iterable[str]) -> None:
        """Raises where PEFT trains something else than the chosen layers: it would never be merged."""
        wrapped = {base_name(name) for name in self.layers}
        elsewhere = [
            name for name in self.parameters() if not any(name.startswith(f"{layer}.") for layer in self.layers)
        ]
        missing = sorted(set(chosen) - wrapped)
        if missing or elsewhere:
            what = f'leaves out "{missing[0]}"' if missing else f'trains "{elsewhere[0]}"'
            names = last_names(chosen)
            rest = [name for name in names if not any(last == name for last in last_names(missing))]
            message = f"Cannot use method.target: PEFT moves some of {', '.join(names)} elsewhere and {what}"
            raise TrainerError("bad_method", message, f"Set method.target to [{', '.join(rest)}]")

    def refuse_unused(self, names: list[str]) -> None:
        layers = [name for name in self.layers if any(unused.startswith(f"{name}.") for unused in names)]
        layers = [name for name in layers if ".experts." not in name]  # which of them are asked depends on the row
        if layers:
            message = f'Cannot update layer "{base_name(layers[0])}": the base does not call it'
            rest = [last for last in last_names(self.layers) if last not in last_names(layers)]
            raise TrainerError("bad_method", message, f"Set method.target to [{', '.join(rest)}]")

    def off(self) -> AbstractContextManager:
        return self.model.disable_adapter()

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

    def changes(self) -> dict[str, torch.Tensor | None]:
        layers = {f"{base_name(name)}.weight": layer.base_layer for name, layer in self.layers.items()}
        return {name: None if isinstance(layer, FourBitLinear) else layer.weight for name, layer in layers.items()}

    @torch.no_grad()
    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, layer in self.layers.items():
            update = layer.lora_B[NAME].weight.float() @ layer.lora_A[NAME].weight.float()
            base = layer.base_layer
            weight = base.original() if isinstance(base, FourBitLinear) else base.weight
            yield f"{base_name(name)}.weight", weight.float() + update * layer.scaling[NAME]

    def compare_merged(self, run: Callable[[], Any]) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
        with recorded(self.layers) as seen:
            run()
        layers = {f"{base_name(name)}.weight": (layer, seen.get(name)) for name, layer in self.layers.items()}
        for name, weight in self.merged():
            layer, states = layers[name]
            if states:
                x, trained = states
                bias = layer.base_layer.bias
                yield name, linear(x, weight, None if bias is None else bias.float()), trained


def base_name(name: str) -> str:
    """A layer's name in the base."""
    return name.removeprefix(PREFIX)
