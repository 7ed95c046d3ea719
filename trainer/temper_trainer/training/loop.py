"""The training loop. Everything it depends on is in the job, the prepared rows and its state."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from ..data.examples import read_some
from ..errors import FAILED, TrainerError
from ..job.stop import Stopped
from ..methods import Method
from .batches import StepPlan
from .checkpoint import Checkpoint, Checkpoints
from .checkpoint_interval import CheckpointInterval
from .compute import FASTEST, Way, row_losses
from .memory import resident_bytes
from .optim import FlatParameters, learning_rate, make_optimizer
from .parallel import my_batches
from .random_state import RandomState
from .session import Session

SMOOTHING = 0.9
"""How much a loss counts beside the one that comes next, in the loss as a person reads it: single steps jump."""


@dataclass
class Smoothed:
    """
    The weighted mean of all losses so far: the exponential average, divided by 1 - SMOOTHING ** count. An average that
    starts from the first loss counts it ten times as much as the others.
    """

    mean: float | None = None
    count: int = 0

    def add(self, loss: float) -> None:
        self.count += 1
        # This way of writing it makes the mean of equal numbers that very number, bit for bit
        share = (1 - SMOOTHING) / (1 - SMOOTHING**self.count)
        self.mean = loss if self.mean is None else self.mean + share * (loss - self.mean)


@dataclass
class State:
    """What has been done so far."""

    step: int = 0
    tokens: int = 0
    supervised: int = 0
    smoothed: Smoothed = field(default_factory=Smoothed)
    seconds: float = 0.0
    """Spent in steps, over all attempts."""

    @classmethod
    def kept(cls, values: dict[str, Any]) -> "State":
        """As a checkpoint has it. Earlier ones have a smoothed loss that cannot be corrected: the mean starts anew."""
        smoothed = values["smoothed"]
        return cls(**values | {"smoothed": Smoothed(**smoothed) if isinstance(smoothed, dict) else Smoothed()})


class Loop:
    def __init__(
        self,
        session: Session,
        method: Method,
        random: RandomState,
        checkpoints: Checkpoints,
        way: Way = FASTEST,
        flat: FlatParameters | None = None,
    ):
        self.session = session
        self.train = session.job.train
        self.rows = session.rows
        self.method = method
        self.way = way
        self.random = random
        self.device = torch.device(session.environment.device)
        self.metrics = session.metrics
        self.checkpoints = checkpoints
        self.stop = session.stop
        train = self.train
        self.plan = StepPlan(len(self.rows), train.batch_size, train.epochs, train.max_steps, train.seed)
        self.workers = session.workers
        self.flat = flat or FlatParameters(method.parameters(), self.workers)
        self.bad: list[int] = []
        self.optimizer = make_optimizer(self.flat, train)
        self.state = State()
        self.interval = CheckpointInterval(train.checkpoint_seconds)
        # Weights that are trained themselves stay in fp32; the products are computed in the type that was asked for
        precision = session.environment.torch_dtype
        # What is kept of a divided layer in another type would stay after the layer has gone
        keep = session.environment.parallel != "fsdp"
        self.mixed = torch.autocast(
            self.device.type, precision, enabled=method.causal.dtype != precision, cache_enabled=keep
        )

    def run(self) -> None:
        """Trains to the end, from the newest checkpoint where there is one."""
        self.restore()
        self.method.model.train()
        with self.way.on(self.method.causal), self.stop.at_safe_places():
            while self.state.step < self.plan.steps:
                self.step_or_stop()
                if self.workers.agree(self.workers.leader and self.interval.due()):
                    self.save()
            self.save()
        self.method.model.eval()
        self.check_stop()

    def step_or_stop(self) -> None:
        try:
            self.check_stop()
            self.step()
        except Stopped:
            self.save()
            raise

    def check_stop(self) -> None:
        """All workers stop at the same step, whichever of them was asked to."""
        if self.workers.agree(self.stop.requested):
            raise Stopped

    def step(self) -> None:
        start = time.monotonic()
        rows = self.plan.rows_of(self.state.step)
        lengths = self.rows.lengths(rows)
        batches = my_batches(self.way, rows, lengths, self.train.micro_tokens, self.session)
        supervised = int(sum(np.count_nonzero(self.rows.row(row)[1][1:]) for row in rows))
        self.flat.gradient.zero_()
        loss = 0.0
        for batch, weight in batches:
            loss += self.accumulate(batch, supervised, weight)
            if self.workers.alone:
                self.stop.check()
        loss, bad = self.workers.total(loss, len(self.bad))
        if bad:
            self.refuse(np.unique(np.concatenate(self.workers.gather(self.bad))), "the loss is not finite")
        self.flat.reduce()
        norm = self.flat.clip(self.train.max_grad_norm)
        if not np.isfinite(norm):
            self.refuse(rows, "the gradient is not finite")
        rate = learning_rate(self.train, self.state.step, self.plan.steps)
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        self.advance(loss, norm, rate, int(lengths.sum()), supervised, time.monotonic() - start)

    def accumulate(self, rows: np.ndarray, supervised: int, weight: float = 1.0) -> float:
        """Adds the gradient of some of a step's rows; returns their part of the step's mean loss."""
        self.random.begin(self.state.step, rows, self.rows.lengths(rows))
        with self.mixed:
            losses, numbers = row_losses(self.method, [self.rows.row(row) for row in rows], self.way, self.device)
        bad = ~torch.isfinite(losses.detach()).cpu().numpy()
        self.bad += rows[np.unique(numbers[bad])].tolist()
        loss = losses.sum() * (weight / supervised)
        loss.backward()
        return loss.item()

    def advance(self, loss: float, norm: float, rate: float, tokens: int, supervised: int, seconds: float) -> None:
        state = self.state
        state.step += 1
        state.tokens += tokens
        state.supervised += supervised
        state.seconds += seconds
        state.smoothed.add(loss)
        self.metrics.write(
            "train",
            step=state.step,
            steps=self.plan.steps,
            epoch=round(self.plan.epoch_after(state.step), 4),
            loss=loss,
            smoothed=state.smoothed.mean,
            smoothed_over=state.smoothed.count,
            learning_rate=rate,
            grad_norm=norm,
            tokens=state.tokens,
            tokens_per_second=round(tokens / seconds, 1),
            rss=resident_bytes(),
        )

    def refuse(self, rows: np.ndarray, reason: str) -> None:
        # Conversations that became several rows move the numbers of all behind them.
        numbered = not self.session.report["train"].get("split", 0)
        path = self.session.job_dir / self.session.job.data.train
        found = read_some(path, {int(row) for row in rows}) if numbered else {}
        origins = [found[row].origin for row in sorted(found)]
        about = ", ".join(origins) or f"{len(rows)} of its rows"
        message = f"Cannot continue at step {self.state.step + 1}: {reason} for {about}"
        hint = "Check these rows; if they are correct, lower train.learning_rate"
        raise TrainerError("not_finite", message, hint, FAILED, origins)

    def save(self) -> None:
        """For any number of workers: each trained number and its moments once."""
        with self.interval.saving():
            optimizer = self.optimizer.state[self.flat.values]
            kept = {f"optimizer.{name}": self.flat.whole(tensor) for name, tensor in optimizer.items()}
            tensors = {"parameters": self.flat.whole(self.flat.values.detach())} | kept
            if self.workers.leader:
                self.checkpoints.save(Checkpoint(self.state.step, tensors, {"state": asdict(self.state)}))
        took, interval = round(self.interval.took, 3), round(self.interval.interval, 3)
        self.metrics.write("checkpoint", step=self.state.step, seconds=took, next_after=interval)
        if news := self.interval.news():
            self.metrics.warn(news)

    def restore(self) -> None:
        checkpoint = self.checkpoints.load(self.metrics) if self.workers.leader else None
        state = self.workers.from_leader(lambda: checkpoint and checkpoint.numbers["state"])
        tensors = checkpoint.tensors if checkpoint else {}
        with torch.no_grad():
            self.flat.fill(self.flat.values, tensors.get("parameters"))
            if state is None:
                return
            for name, tensor in self.optimizer.state[self.flat.values].items():
                self.flat.fill(tensor, tensors[f"optimizer.{name}"] if checkpoint else None)
        self.state = State.kept(state)
        self.metrics.write("resumed", step=self.state.step)
