"""A gated bottleneck beside every MLP (arXiv 1902.00751; parallel as in arXiv 2110.04366).

    y = down · (act(gate · x) * (up · x))  +  adapter_down · (act(adapter_gate · x) * (adapter_up · x))

Both sides have the same form, so that they fold exactly into one MLP that is wider by the size of the bottleneck.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import linear

from ..errors import TrainerError
from ..files import sync_file, write_json
from ..fold import Fold
from ..job import Adapter
from ..random_state import RandomState
from . import Encode, Method

PARTS = ("gate", "up", "down")


def attach(config: Adapter, model, _random: RandomState, _encode: Encode | None = None) -> "AdapterMethod":
    model.requires_grad_(False)
    for layer in model.get_decoder().layers:
        missing = [part for part in PARTS if not hasattr(layer.mlp, f"{part}_proj")]
        if missing:
            message = f'Cannot put an adapter beside the MLP of this base: it has no "{missing[0]}_proj"'
            raise TrainerError("bad_method", message, "Take method.kind: lora")
        layer.mlp = Adapted(layer.mlp, config.size)
    return AdapterMethod(config, model)


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
        self.layers: list[Adapted] = [layer.mlp for layer in model.get_decoder().layers]

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return {
            f"layers.{index}.{part}": getattr(layer, part) for index, layer in enumerate(self.layers) for part in PARTS
        }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in self.parameters().items()}
        path = folder / "adapter.safetensors"
        save_file(dict(sorted(tensors.items())), path, {"format": "pt"})
        sync_file(path)
        config = self.causal.config
        description = {
            "version": 1,
            "kind": "gated_parallel_adapter",
            "size": self.config.size,
            "activation": config.hidden_act,
            "layers": len(self.layers),
            "hidden": config.hidden_size,
            "feed_forward": config.intermediate_size,
        }
        write_json(folder / "adapter.json", description)

    @torch.no_grad()
    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        """gate' = [gate; adapter gate], up' = [up; adapter up], down' = [down, adapter down]."""
        for index, layer in enumerate(self.layers):
            name = f"model.layers.{index}.mlp"
            for part in PARTS:
                base = getattr(layer.mlp, f"{part}_proj")
                own, dim = getattr(layer, part).float(), 1 if part == "down" else 0
                yield f"{name}.{part}_proj.weight", torch.cat([base.weight.float(), own], dim=dim)
                if base.bias is not None and part != "down":
                    zeros = base.bias.new_zeros(self.config.size, dtype=torch.float32)
                    yield f"{name}.{part}_proj.bias", torch.cat([base.bias.float(), zeros])

    def fold(self, _states) -> Fold:
        hidden = self.causal.config.hidden_size
        wider = self.causal.config.intermediate_size + self.config.size
        shapes = {}
        for index in range(len(self.layers)):
            name = f"model.layers.{index}.mlp"
            shapes |= {f"{name}.{part}_proj.weight": (wider, hidden) for part in ("gate", "up")}
            shapes |= {f"{name}.{part}_proj.bias": (wider,) for part in ("gate", "up")}
            shapes[f"{name}.down_proj.weight"] = (hidden, wider)
        return Fold(self.merged, shapes=shapes, config={"intermediate_size": wider})
