"""A gated bottleneck beside every MLP (arXiv 1902.00751; parallel as in arXiv 2110.04366).

    y = down · (act(gate · x) * (up · x))  +  adapter_down · (act(adapter_gate · x) * (adapter_up · x))

Both sides have the same form, so that they fold exactly into one MLP that is wider by the size of the bottleneck.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.nn import Linear
from torch.nn.functional import linear

from ..errors import TrainerError
from ..export.merge import Merge
from ..files import sync_file, write_json
from ..job.settings import Adapter
from ..training.random_state import RandomState
from . import Encode, Method, recorded

PARTS = ("gate", "up", "down")


def attach(config: Adapter, model, _random: RandomState, _encode: Encode | None = None) -> "AdapterMethod":
    model.requires_grad_(False)
    layers = getattr(model.get_decoder(), "layers", None)
    if layers is None:
        raise refusal("its layers are not listed")
    check_foldable([getattr(layer, "mlp", None) for layer in layers])
    for layer in layers:
        layer.mlp = Adapted(layer.mlp, config.size)
    return AdapterMethod(config, model)


@torch.no_grad()
def check_foldable(mlps: list) -> None:
    """Raises where an MLP is anything else than down · (act(gate · x) * (up · x)): a wider one could not hold it."""
    sizes = set()
    for mlp in mlps:
        missing = [f"{part}_proj" for part in PARTS if not isinstance(getattr(mlp, f"{part}_proj", None), Linear)]
        if missing or not hasattr(mlp, "act_fn"):
            reason = f'it has no "{missing[0]}"' if missing else "it has no activation of its own"
            raise refusal(reason if mlp is not None else "a layer has none")
        sizes.add(mlp.gate_proj.out_features)
        weight = mlp.gate_proj.weight
        x = torch.linspace(-1, 1, mlp.gate_proj.in_features, device=weight.device, dtype=weight.dtype)[None, None]
        usual = mlp.down_proj(mlp.act_fn(mlp.gate_proj(x)) * mlp.up_proj(x))
        if not torch.allclose(mlp(x), usual, rtol=1e-2, atol=1e-4 * usual.abs().max().item()):
            raise refusal("it computes more than down(act(gate(x)) * up(x))")
    if len(sizes) != 1:
        raise refusal("its width differs from layer to layer")


def refusal(reason: str) -> TrainerError:
    message = f"Cannot put an adapter beside the MLP of this base: {reason}"
    return TrainerError("bad_method", message, "Take method.kind: lora")


class Adapted(torch.nn.Module):
    """An MLP and its bottleneck. The bottleneck's output starts at zero: the model starts as the base."""

    def __init__(self, mlp, size: int):
        super().__init__()
        hidden, device = mlp.gate_proj.in_features, mlp.gate_proj.weight.device
        self.mlp = mlp
        self.gate, self.up = (
            torch.nn.Parameter(torch.randn(size, hidden).mul_(hidden**-0.5).to(device)) for _ in range(2)
        )
        self.down = torch.nn.Parameter(torch.zeros(mlp.down_proj.out_features, size, device=device))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up, down = (getattr(self, part).to(x.dtype) for part in PARTS)
        return self.mlp(x) + linear(self.mlp.act_fn(linear(x, gate)) * linear(x, up), down)


class AdapterMethod(Method):
    artifact = "adapter"
    adds = True

    def __init__(self, config: Adapter, model):
        self.config = config
        self.model = self.causal = model
        self.layers = {name: module for name, module in model.named_modules() if isinstance(module, Adapted)}

    @property
    def hidden_size(self) -> int:
        return next(iter(self.layers.values())).mlp.gate_proj.in_features

    @property
    def feed_forward(self) -> int:
        """How wide the base's own MLPs are."""
        return next(iter(self.layers.values())).mlp.gate_proj.out_features

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return {
            f"layers.{index}.{part}": getattr(layer, part)
            for index, layer in enumerate(self.layers.values())
            for part in PARTS
        }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in self.parameters().items()}
        path = folder / "adapter.safetensors"
        save_file(dict(sorted(tensors.items())), path, {"format": "pt"})
        sync_file(path)
        config = self.causal.config.get_text_config()
        description = {
            "version": 1,
            "kind": "gated_parallel_adapter",
            "size": self.config.size,
            "activation": getattr(config, "hidden_act", None) or config.hidden_activation,
            "layers": len(self.layers),
            "hidden": self.hidden_size,
            "feed_forward": self.feed_forward,
        }
        write_json(folder / "adapter.json", description)

    def changes(self) -> dict[str, torch.Tensor]:
        """Weights; a bias comes with its weight."""
        return {
            f"{name}.{part}_proj.weight": getattr(layer.mlp, f"{part}_proj").weight
            for name, layer in self.layers.items()
            for part in PARTS
        }

    def compare_merged(self, run: Callable[[], Any]) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
        with recorded(self.layers) as seen:
            run()
        merged: dict[str, torch.Tensor] = {}
        for tensor_name, tensor in self.merged():
            name, _, part = tensor_name.rpartition(".mlp.")
            merged[part] = tensor
            if part == "down_proj.weight":
                name, mlp = f"{name}.mlp", self.layers[f"{name}.mlp"].mlp
                x, trained = seen[name]
                gate, up = (linear(x, merged[f"{it}_proj.weight"], merged.get(f"{it}_proj.bias")) for it in PARTS[:2])
                bias = mlp.down_proj.bias
                yield name, linear(mlp.act_fn(gate) * up, tensor, None if bias is None else bias.float()), trained

    @torch.no_grad()
    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        """gate' = [gate; adapter gate], up' = [up; adapter up], down' = [down, adapter down]."""
        for name, layer in self.layers.items():
            for part in PARTS:
                base = getattr(layer.mlp, f"{part}_proj")
                own, dim = getattr(layer, part).float(), 1 if part == "down" else 0
                yield f"{name}.{part}_proj.weight", torch.cat([base.weight.float(), own], dim=dim)
                if base.bias is not None and part != "down":
                    zeros = base.bias.new_zeros(self.config.size, dtype=torch.float32)
                    yield f"{name}.{part}_proj.bias", torch.cat([base.bias.float(), zeros])

    def merge(self, _states) -> Merge:
        wider = self.feed_forward + self.config.size
        shapes = {}
        for name in self.layers:
            shapes |= {f"{name}.{part}_proj.weight": (wider, self.hidden_size) for part in ("gate", "up")}
            shapes |= {f"{name}.{part}_proj.bias": (wider,) for part in ("gate", "up")}
            shapes[f"{name}.down_proj.weight"] = (self.hidden_size, wider)
        return Merge(self.merged, shapes=shapes, config={"intermediate_size": wider})
