"""The processes that train one model together: which of them this is, and what they tell each other."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..errors import FAILED, STOPPED, TrainerError
from ..job.failures import explain

if TYPE_CHECKING:
    import torch

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""How a process is told that it is one of several, as by torchrun; LOCAL_RANK is its number on its machine."""
MEETING = timedelta(minutes=10)
"""For all workers to start: a cluster starts them one by one."""
STEP = timedelta(minutes=30)
"""For a worker to catch up with the others within a step."""
PATIENCE = timedelta(days=7)
"""For one to end an evaluation after the others. One that dies is noticed at once."""
FAILURE = "failure"
LOST = "worker_lost"
SIGNS = ("gloo", "connection closed", "connection reset", "broken pipe", "timed out waiting", "socket timeout", "nccl")
"""What communication errors have in their text."""
T = TypeVar("T")


class Workers:
    """One process alone, or one of several after `join`. Each method is called by all of them, in the same order."""

    def __init__(self, rank: int = 0, world: int = 1, local_rank: int = 0):
        self.rank, self.world, self.local_rank = rank, world, local_rank
        self.store: Any = None
        self.control: Any = None

    @property
    def leader(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.world == 1

    def join(self, device: str) -> None:
        """Waits until all are there. `device`: that of the job; each worker computes on a GPU of its own."""
        if self.alone:
            return
        import torch
        import torch.distributed as dist

        cuda = device in ("auto", "cuda") and torch.cuda.is_available()
        if cuda:
            self._take_device()
        try:
            store, _, _ = next(dist.rendezvous("env://", self.rank, self.world, timeout=MEETING))
            backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
            dist.init_process_group(backend, store=store, rank=self.rank, world_size=self.world, timeout=STEP)
            self.control = dist.new_group(backend="gloo", timeout=PATIENCE)
            self.store = dist.PrefixStore("temper", store)
        except (RuntimeError, ValueError, OSError) as error:
            where = ":".join(os.environ[name] for name in VARIABLES[2:])
            message = f"Cannot meet the other {self.world - 1} workers at {where}: {' '.join(str(error).split())[:300]}"
            raise TrainerError(LOST, message, "See whether all of them were started", FAILED) from error

    def _take_device(self) -> None:
        import torch

        found = torch.cuda.device_count()
        # A scheduler may show each process nothing but its own device
        number = 0 if found == 1 else self.local_rank
        if number >= found:
            message = f"Cannot use a GPU for worker {self.local_rank + 1} of this machine: it has {found}"
            raise TrainerError("no_device", message, f"Start {found} workers a machine, or set train.device to cpu")
        torch.cuda.set_device(number)

    def sum(self, tensor: "torch.Tensor") -> None:
        """Adds up a tensor of all workers, in place."""
        if not self.alone:
            import torch.distributed as dist

            dist.all_reduce(tensor)

    def total(self, *numbers: float) -> list[float]:
        """The sum of each number over all workers."""
        if self.alone:
            return list(numbers)
        import torch
        import torch.distributed as dist

        found = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(found, group=self.control)
        return found.tolist()

    def agree(self, flag: bool) -> bool:
        """Whether any of them says so."""
        return self.total(float(flag))[0] > 0

    def broadcast(self, tensor: "torch.Tensor") -> None:
        """Gives all of them the leader's values, in place."""
        if not self.alone:
            import torch.distributed as dist

            dist.broadcast(tensor, 0)

    def from_leader(self, compute: Callable[[], T]) -> T:
        """What the leader finds, for all of them. The others do not look."""
        if self.alone:
            return compute()
        import torch.distributed as dist

        found = [compute() if self.leader else None]
        dist.broadcast_object_list(found, 0, group=self.control)
        return found[0]

    def gather(self, value: T) -> list[T]:
        """The values of all, in the order of the workers."""
        if self.alone:
            return [value]
        import torch.distributed as dist

        found: list[Any] = [None] * self.world
        dist.all_gather_object(found, value, group=self.control)
        return found

    def part(self) -> None:
        """The end of what they do together."""
        if self.alone:
            return
        import torch.distributed as dist

        dist.barrier(group=self.control)
        self.store = None
        dist.destroy_process_group()

    def explain(self, error: Exception) -> TrainerError:
        """Why the training ends. Who only lost another worker ends for that one's reason."""
        if self.store is None:
            return explain(error)
        if not is_lost(error):
            failure = explain(error)
            self._tell(failure)
            return failure
        if (told := self.failure()) is not None:
            return told
        message = f"Cannot continue: worker {self.rank} of {self.world} lost the connection to another one, "
        message += f"which ended without a reason ({' '.join(str(error).split())[:200]})"
        hint = "It may have been killed, by the system for its memory or by a person: see trainer.log"
        return TrainerError(LOST, message, hint, FAILED)

    def _tell(self, failure: TrainerError) -> None:
        told = failure.as_json() | {"worker": self.rank}
        try:
            self.store.compare_set(FAILURE, "", json.dumps(told))
        except RuntimeError:
            return  # who holds the store has ended, and so have all others

    def failure(self) -> TrainerError | None:
        """What another worker said before it ended, the first of them."""
        try:
            if self.store is None or not self.store.check([FAILURE]):
                return None
            told = json.loads(self.store.get(FAILURE))
        except RuntimeError:
            return None
        worker, exit_code = told["worker"], told["exit_code"]
        message = told["message"] if worker == 0 else f"{told['message']} (worker {worker} of {self.world})"
        return TrainerError(told["code"], message, told["hint"], exit_code, told["rows"])


ALONE = Workers()


def from_environment() -> Workers:
    """This process, as the variables of torchrun describe it."""
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return Workers()
    for name in VARIABLES:
        if not os.environ.get(name):
            message = f'Cannot be one of {os.environ["WORLD_SIZE"]} workers: the variable "{name}" is not set'
            raise TrainerError("bad_workers", message, f"Set {', '.join(VARIABLES)} and LOCAL_RANK, as torchrun does")
    try:
        rank, world, local = (int(os.environ.get(name, "0")) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    except ValueError:
        raise TrainerError("bad_workers", "Cannot read RANK, WORLD_SIZE and LOCAL_RANK as whole numbers") from None
    return Workers(rank, world, local)


def end_with_launcher() -> None:
    """Ends this process as soon as the torchrun that started it has gone: killed, it leaves its workers behind, and
    its successor starts others beside them."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        threading.Thread(target=wait_for_end_of, args=(os.getppid(),), daemon=True).start()


def leave(exit_code: int) -> NoReturn:
    """Ends this process. Connections to other workers may be waited for at the end of Python, for ten seconds."""
    if getattr(sys.modules.get("torch.distributed"), "is_initialized", bool)():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    sys.exit(exit_code)


def wait_for_end_of(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(STOPPED)


def is_lost(error: Exception) -> bool:
    """Whether it says that another worker does not answer."""
    import torch.distributed as dist

    text = str(error).lower()
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(sign in text for sign in SIGNS)
    )


def shares(lengths: Sequence[int], workers: int) -> list[list[int]]:
    """Places of the rows of each worker, with about as many tokens each: the longest first, to whoever has least."""
    found: list[list[int]] = [[] for _ in range(workers)]
    tokens = [0] * workers
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        least = min(range(workers), key=lambda worker: tokens[worker])
        found[least].append(place)
        tokens[least] += int(lengths[place])
    return [sorted(places) for places in found]
