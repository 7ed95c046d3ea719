"""Where and in which precision to compute, so that the same job gives the same bits."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ..errors import TrainerError
from ..files import read_json, write_json
from ..job.events import Metrics
from ..job.job import Job
from .precision import ask_torch, fast_types
from .threads import thread_count


@dataclass(frozen=True)
class Environment:
    """What the bits of a result depend on besides the job."""

    torch: str
    device: str
    dtype: str
    threads: int
    nf4: str | None = None
    """What computes with four bits, for qlora."""
    why: str = "the training began in it"
    """The reason of `dtype`, in words. Trainings that earlier versions began do not say."""
    deterministic: bool = True
    """Whether only operations are used that give the same bits each time."""
    workers: int = 1
    parallel: str | None = None
    """How several workers hold the model: ddp or fsdp."""

    @property
    def torch_dtype(self) -> torch.dtype:
        return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[self.dtype]


Types = dict[str, dict[str, str]]
"""The devices there are, with the type that `auto` takes on each: see precision.py."""


def resolve(job: Job, types: Types) -> Environment:
    """Decides for `auto`, and refuses what is not there."""
    device, dtype, why = job.train.device, job.train.dtype, "set in train.dtype"
    if device == "auto":
        device = next(iter(types))
    if device not in types:
        hint = "Set train.device to auto or cpu"
        raise TrainerError("no_device", f'Cannot use train.device "{device}": PyTorch finds no such device here', hint)
    if dtype == "auto":
        dtype, why = types[device]["dtype"], types[device]["why"]
    if (reason := cannot(device, dtype, types)) is not None:
        message = f'Cannot use train.dtype "{dtype}" on {device}: {reason}'
        raise TrainerError("no_dtype", message, "Set train.dtype to auto or fp32")
    version, exact = torch.__version__.split("+")[0], job.train.deterministic
    return Environment(version, device, dtype, thread_count(), nf4_kernel(job, device), why, exact)


def cannot(device: str, dtype: str, types: Types) -> str | None:
    """Why a device that is there cannot train in a type."""
    if device == "mps" and dtype == "fp16":
        return "scaling the loss is not supported there"
    if device == "mps" and dtype == "bf16" and types["mps"]["dtype"] != "bf16":
        return types["mps"]["why"]
    return None


def nf4_kernel(job: Job, device: str) -> str | None:
    if job.method.kind != "qlora":
        return None
    from ..methods.nf4 import kernel_name

    return kernel_name(device)


def choose_environment(job: Job, path: Path, metrics: Metrics) -> Environment:
    """The environment of the first attempt again, so that a resumed training ends in the same bits."""
    types = fast_types(ask_torch())
    kept = read_json(path)
    if kept is None:
        environment = resolve(job, types)
        path.parent.mkdir(exist_ok=True)
        write_json(path, asdict(environment))
    else:
        environment = resume(job, Environment(**kept), types, path, metrics)
    for note in slow(environment, types):
        metrics.warn(note)
    apply(environment)
    return environment


def resume(job: Job, before: Environment, types: Types, path: Path, metrics: Metrics) -> Environment:
    """What the training began in, whatever `auto` would take today; refused where this machine cannot compute it."""
    asked = (job.train.device, job.train.dtype)
    same = all(value in ("auto", first) for value, first in zip(asked, (before.device, before.dtype), strict=True))
    if not same or before.device not in types or cannot(before.device, before.dtype, types):
        now = resolve(job, types)
        message = f"Cannot resume: training started on {before.device} in {before.dtype}, "
        message += f"this machine offers {now.device} in {now.dtype}"
        hint = f'Resume on a machine like the first one, or delete "{path.parent}" to start over'
        raise TrainerError("other_device", message, hint)
    version = torch.__version__.split("+")[0]
    if before.torch != version:
        metrics.warn(f"PyTorch was {before.torch} and is {version}: the last bits of the result may differ")
    exact = job.train.deterministic
    return replace(before, torch=version, nf4=nf4_kernel(job, before.device), deterministic=exact)


def slow(environment: Environment, types: Types) -> Iterator[str]:
    """What to say of a type that this device computes slowly."""
    device, dtype = environment.device, environment.dtype
    if dtype == "bf16" and types[device]["dtype"] != "bf16":
        named, better = {"cpu": ("CPU", "fp32"), "cuda": ("GPU", "fp16")}[device]
        yield f"This {named} has no bf16 instructions: {better} is several times faster"
    if device == "cpu" and dtype == "fp16":
        yield "fp16 is made for GPUs: on CPUs it is slower than bf16, and than fp32 on many"


def apply(environment: Environment) -> None:
    torch.set_num_threads(environment.threads)
    # cuBLAS is reproducible only with a workspace of fixed size; read when CUDA starts
    if environment.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Where PyTorch may only warn, its attention on CUDA is not deterministic
    torch.use_deterministic_algorithms(environment.deterministic, warn_only=environment.device != "cuda")
    torch.backends.cudnn.benchmark = not environment.deterministic
    # Nothing here reads memory it did not write; filling it would cost a pass over every new tensor
    torch.utils.deterministic.fill_uninitialized_memory = False
