"""Where and in which precision to compute, so that the same job gives the same bits."""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ..errors import TrainerError
from ..files import read_json, write_json
from ..job.events import Metrics
from ..job.job import Job
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
    workers: int = 1
    parallel: str | None = None
    """How several workers hold the model: ddp or fsdp."""

    @property
    def torch_dtype(self) -> torch.dtype:
        return {"fp32": torch.float32, "bf16": torch.bfloat16}[self.dtype]


def resolve(job: Job) -> Environment:
    """Decides for `auto`, and refuses what is not there."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    device = job.train.device
    if device == "auto":
        device = "cuda" if available["cuda"] else "cpu"
    if not available[device]:
        hint = "Set train.device to auto or cpu"
        raise TrainerError("no_device", f'Cannot use train.device "{device}": PyTorch finds no such device here', hint)
    dtype = job.train.dtype
    if dtype == "auto":
        dtype = "bf16" if device == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    return Environment(torch.__version__.split("+")[0], device, dtype, thread_count(), nf4_kernel(job, device))


def nf4_kernel(job: Job, device: str) -> str | None:
    if job.method.kind != "qlora":
        return None
    from ..methods.nf4 import kernel_name

    return kernel_name(device)


def choose_environment(job: Job, path: Path, metrics: Metrics) -> Environment:
    """The environment of the first attempt again, so that a resumed training ends in the same bits."""
    environment = resolve(job)
    kept = read_json(path)
    if kept is None:
        path.parent.mkdir(exist_ok=True)
        write_json(path, asdict(environment))
    else:
        before = Environment(**kept)
        if (before.device, before.dtype) != (environment.device, environment.dtype):
            message = f"Cannot resume: training started on {before.device} in {before.dtype}, "
            message += f"this machine offers {environment.device} in {environment.dtype}"
            hint = f'Resume on a machine like the first one, or delete "{path.parent}" to start over'
            raise TrainerError("other_device", message, hint)
        if before.torch != environment.torch:
            metrics.warn(
                f"PyTorch was {before.torch} and is {environment.torch}: the last bits of the result may differ"
            )
        environment = replace(before, torch=environment.torch, nf4=environment.nf4)
    if environment.dtype == "bf16" and environment.device == "cpu" and not fast_bf16():
        metrics.warn("This CPU has no bf16 instructions: fp32 is several times faster")
    apply(environment)
    return environment


def fast_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def apply(environment: Environment) -> None:
    torch.set_num_threads(environment.threads)
    # cuBLAS is reproducible only with a workspace of fixed size; read when CUDA starts
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads memory it did not write; filling it would cost a pass over every new tensor
    torch.utils.deterministic.fill_uninitialized_memory = False
