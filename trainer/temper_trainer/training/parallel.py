"""How several workers hold one model: each all of it (ddp), or each a part of every layer (fsdp)."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch.distributed.tensor import DTensor

from ..errors import TrainerError
from ..files import write_json
from ..job.events import Metrics
from ..job.job import Job
from ..methods.four_bit import FourBitLinear
from .costs import TRAINED_BYTES
from .device import Environment, apply, choose_environment
from .memory import device_bytes
from .optim import FlatParameters
from .threads import thread_count
from .workers import Workers, shares

if TYPE_CHECKING:
    from ..methods import Method
    from .compute import Way
    from .session import Session

ROOM = 0.7
"""Share of a device's memory that the model may take: the rest is for what a step computes."""
FOUR_BITS = 4.13 / 8
T = TypeVar("T")
IN_PARTS = ("codes", "scales")
"""What a layer in four bits mostly consists of. The rest of it is too small to be divided."""


def common_environment(
    job: Job, path: Path, metrics: Metrics, base: Mapping[str, Any], workers: Workers
) -> Environment:
    """The leader's environment, for all workers. Their number may change from attempt to attempt, and their threads
    with it. `base`: its description in tokens.json."""

    def decide() -> Environment:
        kept = choose_environment(job, path, metrics)
        parallel = choose_parallel(job, base, kept.device, kept.torch_dtype, workers)
        threads = kept.threads if kept.workers == workers.world else thread_count()
        environment = replace(kept, workers=workers.world, parallel=parallel, threads=threads)
        if environment != kept:
            write_json(path, asdict(environment))
        return environment

    environment = workers.from_leader(decide)
    apply(environment)
    return environment


def choose_parallel(job: Job, base: Mapping[str, Any], device: str, dtype: torch.dtype, workers: Workers) -> str | None:
    """None for a worker alone. `base`: its description in tokens.json."""
    if workers.alone:
        return None
    if job.train.parallel != "auto":
        return job.train.parallel
    return "ddp" if model_bytes(job, base, dtype) <= ROOM * device_memory(device, workers) else "fsdp"


def model_bytes(job: Job, base: Mapping[str, Any], dtype: torch.dtype) -> float:
    """What a worker under ddp holds at all times. The other methods train little beside the base."""
    if job.method.kind == "full":
        return TRAINED_BYTES * base["parameters"]
    outside = base["vocab"] * base["hidden"] * (1 if base["tied"] else 2)
    layers = base["parameters"] - outside
    share = FOUR_BITS if job.method.kind == "qlora" else dtype.itemsize
    return outside * dtype.itemsize + layers * share


def device_memory(device: str, workers: Workers) -> float:
    """Of a GPU, or this worker's part of the machine's."""
    if device == "cuda":
        return device_bytes(device)["device_memory"]
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return machine / int(os.environ.get("LOCAL_WORLD_SIZE", workers.world))


def divide(method: "Method", device: str, workers: Workers) -> FlatParameters:
    """Gives each worker its part of every layer of a model that is on the CPU, and moves that to the device. Returns
    what is trained: where that is little, each worker holds all of it."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    decoder = method.causal.get_decoder()
    layers = getattr(decoder, "layers", None)
    if layers is None:
        message = "Cannot use train.parallel fsdp on this base: its layers are not listed"
        raise TrainerError("bad_parallel", message, "Set train.parallel to ddp")
    mesh = init_device_mesh(device, (workers.world,))
    for layer in layers:
        name_four_bits(layer)
    whole = kept_whole(method, layers, workers.world)
    for layer in layers:
        fully_shard(
            layer, mesh=mesh, ignored_params=whole, shard_placement_fn=lambda tensor: placement(tensor, workers.world)
        )
        # Losses are shares of the global batch's mean already
        layer.set_gradient_divide_factor(1.0)
        layer.set_force_sum_reduction_for_comms(True)
    rest = {tensor for tensor in method.model.parameters() if not isinstance(tensor, DTensor)}
    fully_shard(decoder, mesh=mesh, ignored_params=rest)
    method.model.to(device)
    return DividedParameters(method.parameters(), workers)


def name_four_bits(layer: torch.nn.Module) -> None:
    """Makes parameters of them: buffers are not divided."""
    for module in layer.modules():
        if isinstance(module, FourBitLinear):
            for name in IN_PARTS:
                values = module._buffers.pop(name)
                module.register_parameter(name, torch.nn.Parameter(values, requires_grad=False))


def kept_whole(method: "Method", layers: Any, world: int) -> set[torch.nn.Parameter]:
    """Parameters of layers that are not divided: few trained ones beside a frozen base, and what has no dimension
    that can be."""
    found = set(method.parameters().values()) if method.adds else set()
    for tensor in layers.parameters():
        trained = tensor.requires_grad and placement(tensor, world) is None
        if trained or tensor.ndim == 0 or tensor.numel() == 0:
            found.add(tensor)
    return found


def placement(tensor: torch.Tensor, world: int):
    """The first dimension that divides evenly. None stands for the first one, with padding."""
    from torch.distributed.tensor import Shard

    return next((Shard(dim) for dim, size in enumerate(tensor.shape) if size and size % world == 0), None)


class DividedParameters(FlatParameters):
    """
    Trained tensors of which each worker holds a part of some, and all of the others. The parts, their gradients and
    moments are views of flat tensors, as those of FlatParameters are.
    """

    def __init__(self, named: dict[str, torch.nn.Parameter], workers: Workers):
        parts = {name: tensor for name, tensor in named.items() if isinstance(tensor, DTensor)}
        local = {name: torch.nn.Parameter(tensor.to_local().detach()) for name, tensor in parts.items()}
        super().__init__(local | {name: tensor for name, tensor in named.items() if name not in parts}, workers)
        self.parts = parts
        start = 0
        self.views: dict[str, slice] = {}
        for name, tensor in self.named.items():
            self.views[name] = slice(start, start + tensor.numel())
            start += tensor.numel()
        for name, tensor in parts.items():
            values, gradient = self.named[name].data, self.named[name].grad
            into = (tensor.device_mesh, tensor.placements)
            like = {"shape": tensor.shape, "stride": tensor.stride()}
            tensor._local_tensor = values
            tensor.grad = DTensor.from_local(gradient, *into, run_check=False, **like)

    @property
    def count(self) -> int:
        return sum(self.parts.get(name, tensor).numel() for name, tensor in self.named.items())

    def pieces(self, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
        """Of a tensor like `values`: the part of each trained tensor, in the order of the names."""
        for name, view in self.views.items():
            yield name, tensor[view].view(self.named[name].shape)

    def reduce(self) -> None:
        """Of those that each worker holds whole; parts are added up on the way back through their layer."""
        for name, piece in self.pieces(self.gradient):
            if name not in self.parts:
                self.workers.sum(piece)

    def norm(self) -> float:
        squares = {True: torch.zeros((), device=self.values.device), False: torch.zeros((), device=self.values.device)}
        for name, piece in self.pieces(self.gradient):
            squares[name in self.parts] += piece.square().sum()
        self.workers.sum(squares[True])
        return (squares[True] + squares[False]).sqrt().item()

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.shape != self.values.shape:
            return tensor
        found = []
        for name, piece in self.pieces(tensor):
            if name in self.parts:
                piece = self._like(name, piece).full_tensor()
            if self.workers.leader:
                found.append(piece.flatten().cpu())
        return torch.cat(found) if found else tensor.new_empty(0)

    def fill(self, tensor: torch.Tensor, whole: torch.Tensor | None) -> None:
        if tensor.shape != self.values.shape:
            return super().fill(tensor, whole)
        given = self.workers.agree(whole is not None)
        start = 0
        for name, piece in self.pieces(tensor):
            part = self.parts.get(name)
            if part is None:
                size = piece.numel()
                super().fill(piece, None if whole is None else whole[start : start + size].view(piece.shape))
            else:
                size = part.numel()
                if given:
                    self._take(name, piece, None if whole is None else whole[start : start + size])
            start += size

    def _take(self, name: str, piece: torch.Tensor, whole: torch.Tensor | None) -> None:
        part = self.parts[name]
        full = torch.empty(part.shape, dtype=piece.dtype, device=piece.device)
        if whole is not None:
            full.copy_(whole.view(part.shape))
        self.workers.broadcast(full)
        (placed,) = part.placements
        piece.copy_(full.chunk(self.workers.world, placed.dim)[self.workers.rank])

    def _like(self, name: str, piece: torch.Tensor) -> DTensor:
        part = self.parts[name]
        like = {"shape": part.shape, "stride": part.stride()}
        return DTensor.from_local(piece, part.device_mesh, part.placements, run_check=False, **like)

    def sha256(self) -> str:
        raise TypeError("A part of the trained tensors has no digest")


def my_batches(
    way: "Way", rows: np.ndarray, lengths: np.ndarray, micro_tokens: int, session: "Session"
) -> list[tuple[np.ndarray, float]]:
    """Rows of a step that this worker computes together, and how much they count: all of it, but where other workers
    of a divided model have more to do, which takes every worker."""
    workers = session.workers
    parts = [rows[places] for places in shares(lengths.tolist(), workers.world)]
    batches = [[part[places] for places in way.batches(session.rows.lengths(part), micro_tokens)] for part in parts]
    mine = [(batch, 1.0) for batch in batches[workers.rank]]
    most = max(len(found) for found in batches)
    if session.environment.parallel == "fsdp":
        shortest = rows[[int(lengths.argmin())]]
        mine += [(shortest, 0.0)] * (most - len(mine))
    return mine


def shared(causal, workers: Workers, lengths: Sequence[int], compute: Callable[[list[int]], Sequence[T]]) -> list[T]:
    """What `compute` finds for each of some rows, in their order. It is asked for a share of them by each worker."""
    mine = shares(lengths, workers.world)[workers.rank]
    with in_step(causal, workers):
        found = compute(mine)
    pairs = workers.gather(list(zip(mine, found, strict=True)))
    by_row = {row: value for part in pairs for row, value in part}
    return [by_row[row] for row in range(len(lengths))]


@contextmanager
def in_step(causal, workers: Workers) -> Iterator[None]:
    """While this lasts, workers may pass different rows through a divided model, and a different number of times:
    every pass takes all of them, so who is done goes on with passes that count for nothing."""
    from torch.distributed.fsdp import FSDPModule

    decoder = causal.get_decoder()
    if not isinstance(decoder, FSDPModule):
        yield
        return

    def announce(*_) -> None:
        workers.agree(True)

    hook = decoder.layers[0].register_forward_pre_hook(announce, prepend=True)
    try:
        yield
    finally:
        hook.remove()
    with torch.no_grad():
        while workers.agree(False):
            decoder(input_ids=torch.zeros(1, 1, dtype=torch.long, device=causal.device), use_cache=False)


def on_cpu(environment: Environment) -> Environment:
    """Where a model is loaded that is divided afterwards: no device has room for all of it."""
    return replace(environment, device="cpu") if environment.parallel == "fsdp" else environment
