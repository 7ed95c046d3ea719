"""The training loop. Everything it depends on is in the job, the prepared rows and its state."""

import time
from contextlib import nullcontext
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
from .checkpointing import checkpointed
from .compute import FASTEST, Way, row_losses
from .loss_scale import LossScale
from .memory import resident_bytes
from .optim import FlatParameters, learning_rate, make_optimizer, optimizer_state, restore_optimizer
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
    loss_scale: LossScale = field(default_factory=LossScale)

    @classmethod
    def kept(cls, values: dict[str, Any]) -> "State":
        """As a checkpoint has it. Earlier ones have a smoothed loss that cannot be corrected: the mean starts anew."""
        smoothed = values["smoothed"]
        smoothed = Smoothed(**smoothed) if isinstance(smoothed, dict) else Smoothed()
        return cls(**values | {"smoothed": smoothed, "loss_scale": LossScale(**values.get("loss_scale", {}))})


class Loop:
    def __init__(
        self,
        session: Session,
        method: Method,
        random: RandomState,
        checkpoints: Checkpoints,
        way: Way = FASTEST,
        checkpointing: bool = False,
    ):
        self.session = session
        self.train = session.job.train
        self.rows = session.rows
        self.method = method
        self.way = way
        self.checkpointing = checkpointing
        self.random = random
        self.device = torch.device(session.environment.device)
        self.metrics = session.metrics
        self.checkpoints = checkpoints
        self.stop = session.stop
        train = self.train
        self.plan = StepPlan(len(self.rows), train.batch_size, train.epochs, train.max_steps, train.seed)
        self.flat = FlatParameters(method.parameters())
        self.optimizer = make_optimizer(self.flat, train, method.causal)
        self.interval = CheckpointInterval(train.checkpoint_seconds)
        # Weights that are trained themselves stay in fp32; the products are computed in the type that was asked for
        precision = session.environment.torch_dtype
        self.state = State(loss_scale=LossScale.of(precision))
        self.mixed = torch.autocast(self.device.type, precision, enabled=method.causal.dtype != precision)

    def run(self) -> None:
        """Trains to the end, from the newest checkpoint where there is one."""
        self.restore()
        self.method.model.train()
        layers = checkpointed(self.method.causal, self.random) if self.checkpointing else nullcontext()
        with self.way.on(self.method.causal), layers, self.stop.at_safe_places():
            while self.state.step < self.plan.steps:
                self.step_or_stop()
                if self.interval.due():
                    self.save()
            self.save()
        self.method.model.eval()
        self.stop.check()

    def step_or_stop(self) -> None:
        before = self.snapshot()
        try:
            self.stop.check()
            self.step()
        except Stopped:
            self.save(before)
            raise

    def step(self) -> None:
        start = time.monotonic()
        rows = self.plan.rows_of(self.state.step)
        lengths = self.rows.lengths(rows)
        batches = [rows[places] for places in self.way.batches(lengths, self.train.micro_tokens)]
        supervised = int(sum(np.count_nonzero(self.rows.row(row)[1][1:]) for row in rows))
        self.flat.gradient.zero_()
        loss = 0.0
        for batch in batches:
            loss += self.accumulate(batch, supervised)
            self.stop.check()
        self.state.loss_scale.unscale(self.flat.gradient)
        norm = self.flat.clip(self.train.max_grad_norm)
        skipped = self.state.loss_scale.skips(bool(np.isfinite(norm)))
        if not skipped and not np.isfinite(norm):
            self.refuse(rows, "the gradient is not finite")
        rate = learning_rate(self.train, self.state.step, self.plan.steps)
        self.optimizer.param_groups[0]["lr"] = rate
        if not skipped:
            self.optimizer.step()
        self.advance(loss, None if skipped else norm, rate, int(lengths.sum()), supervised, time.monotonic() - start)

    def accumulate(self, rows: np.ndarray, supervised: int) -> float:
        """Adds the gradient of some of a step's rows; returns their part of the step's mean loss."""
        with self.mixed:
            losses, numbers = row_losses(self.method, [self.rows.row(row) for row in rows], self.way, self.device)
        bad = ~torch.isfinite(losses.detach()).cpu().numpy()
        if bad.any():
            self.refuse(rows[np.unique(numbers[bad])], "the loss is not finite")
        loss = losses.sum() / supervised
        self.state.loss_scale.scaled(loss).backward()
        return loss.item()

    def advance(
        self, loss: float, norm: float | None, rate: float, tokens: int, supervised: int, seconds: float
    ) -> None:
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
            **state.loss_scale.as_json(),
        )
        if norm is None and state.loss_scale.skipped == 1:
            message = f"Step {state.step} changed no weight: its gradient did not fit into fp16, so the loss is scaled "
            self.metrics.warn(f"{message}less from here on. result.json counts such steps")

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

    def snapshot(self) -> tuple[dict[str, torch.Tensor], dict]:
        """State of the random numbers: a step that is broken off has used some of them up."""
        return self.random.tensors(), self.random.numbers()

    def save(self, random: tuple[dict[str, torch.Tensor], dict] | None = None) -> None:
        tensors, numbers = random or self.snapshot()
        kept = optimizer_state(self.optimizer)
        with self.interval.saving():
            self.checkpoints.save(
                Checkpoint(
                    self.state.step,
                    {"parameters": self.flat.values.detach(), **kept, **tensors},
                    {"state": asdict(self.state), "random": numbers},
                )
            )
        took, interval = round(self.interval.took, 3), round(self.interval.interval, 3)
        self.metrics.write("checkpoint", step=self.state.step, seconds=took, next_after=interval)
        if news := self.interval.news():
            self.metrics.warn(news)

    def restore(self) -> None:
        checkpoint = self.checkpoints.load(self.metrics)
        if checkpoint is None:
            return
        with torch.no_grad():
            self.flat.values.copy_(checkpoint.tensors["parameters"])
        restore_optimizer(self.optimizer, checkpoint.tensors)
        self.random.restore(checkpoint.tensors, checkpoint.numbers["random"])
        self.state = State.kept(checkpoint.numbers["state"])
        self.metrics.write("resumed", step=self.state.step)
