"""The training loop. Everything it depends on is in the job, the prepared rows and its state."""

import time
from contextlib import AbstractContextManager, nullcontext
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
from .device_use import DeviceUse
from .fused.compiled import compiled_elementwise, compiles
from .loss_scale import LossScale
from .memory import resident_bytes
from .optim import FlatParameters, learning_rate, make_optimizer, optimizer_state, restore_optimizer
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
    loss_scale: LossScale = field(default_factory=LossScale)

    @classmethod
    def kept(cls, values: dict[str, Any]) -> "State":
        """As a checkpoint has it. Earlier ones have a smoothed loss that cannot be corrected: the mean starts anew."""
        smoothed = values["smoothed"]
        smoothed = Smoothed(**smoothed) if isinstance(smoothed, dict) else Smoothed()
        return cls(**values | {"smoothed": smoothed, "loss_scale": LossScale(**values.get("loss_scale", {}))})


@dataclass(frozen=True)
class Part:
    """Rows of a step that were computed together. Tensors are on the device, perhaps still being computed."""

    rows: np.ndarray
    numbers: np.ndarray
    """Which of the rows each loss belongs to."""
    losses: torch.Tensor
    loss: torch.Tensor
    """Their part of the step's mean loss."""


class Loop:
    def __init__(
        self,
        session: Session,
        method: Method,
        random: RandomState,
        checkpoints: Checkpoints,
        way: Way = FASTEST,
        flat: FlatParameters | None = None,
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
        self.workers = session.workers
        self.flat = flat or FlatParameters(method.parameters(), self.workers)
        self.optimizer = make_optimizer(self.flat, train, method.causal)
        self.interval = CheckpointInterval(train.checkpoint_seconds)
        self.compiled = False
        self.device_use = DeviceUse(self.device)
        # Weights that are trained themselves stay in fp32; the products are computed in the type that was asked for
        precision = session.environment.torch_dtype
        self.state = State(loss_scale=LossScale.of(precision))
        # What is kept of a divided layer in another type would stay after the layer has gone
        keep = session.environment.parallel != "fsdp"
        self.mixed = torch.autocast(
            self.device.type, precision, enabled=method.causal.dtype != precision, cache_enabled=keep
        )

    def run(self) -> None:
        """Trains to the end, from the newest checkpoint where there is one."""
        self.restore()
        self.method.model.train()
        layers = checkpointed(self.method.causal, self.random) if self.checkpointing else nullcontext()
        sampling = self.device_use if self.workers.leader else nullcontext()
        with self.way.on(self.method.causal), self.element_wise(), layers, sampling, self.stop.at_safe_places():
            while self.state.step < self.plan.steps:
                self.step_or_stop()
                if self.workers.agree(self.workers.leader and self.interval.due()):
                    self.save()
            self.save()
        self.method.model.eval()
        self.check_stop()

    def element_wise(self) -> AbstractContextManager:
        """Compiles what is worth it."""
        compile, reason = compiles(self.train.compile, self.way, self.device, self.flops())
        if reason:
            self.metrics.warn(f"Training is slower than it could be: {reason}")
        self.compiled = compile
        return compiled_elementwise() if compile else nullcontext()

    def flops(self) -> float:
        """Of the whole training, about: 2 for each weight, forward and back."""
        tokens = int(self.rows.lengths(np.arange(len(self.rows))).sum())
        weights = sum(parameter.numel() for parameter in self.method.causal.parameters())
        return 4 * weights * tokens * self.plan.epoch_after(self.plan.steps)

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
        parts = []
        for batch, weight in batches:
            parts.append(self.accumulate(batch, supervised, weight))
            if self.workers.alone:
                self.stop.check()
        # The host waits for the device here, once a step
        loss = self.loss_of(parts)
        self.flat.reduce()
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

    def accumulate(self, rows: np.ndarray, supervised: int, weight: float = 1.0) -> "Part":
        """Adds the gradient of some of a step's rows, without waiting for it."""
        self.random.begin(self.state.step, rows, self.rows.lengths(rows))
        with self.mixed:
            losses, numbers = row_losses(self.method, [self.rows.row(row) for row in rows], self.way, self.device)
        loss = losses.sum() * (weight / supervised)
        self.state.loss_scale.scaled(loss).backward()
        return Part(rows, numbers, losses.detach(), loss.detach())

    def loss_of(self, parts: list["Part"]) -> float:
        """The step's mean loss. Refuses rows whose loss is not a number, whichever worker computed it."""
        losses = torch.stack([part.loss for part in parts]).tolist() if parts else []
        (loss,) = self.workers.total(sum(losses))
        if not np.isfinite(loss):
            bad = [part.rows[np.unique(part.numbers[~torch.isfinite(part.losses).cpu().numpy()])] for part in parts]
            found = self.workers.gather(np.concatenate([np.array([], int), *bad]))
            self.refuse(np.unique(np.concatenate(found)), "the loss is not finite")
        return loss

    def advance(
        self, loss: float, norm: float | None, rate: float, tokens: int, supervised: int, seconds: float
    ) -> None:
        state = self.state
        state.step += 1
        state.tokens += tokens
        state.supervised += supervised
        state.seconds += seconds
        state.smoothed.add(loss)
        epoch = round(self.plan.epoch_after(state.step), 4)
        self.metrics.write(
            "train",
            step=state.step,
            steps=self.plan.steps,
            epoch=epoch,
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
        if sample := self.device_use.taken():
            self.metrics.write("device", step=state.step, epoch=epoch, tokens=state.tokens, **sample)
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

    def save(self) -> None:
        """For any number of workers: each trained number and its moments once."""
        with self.interval.saving():
            kept = optimizer_state(self.optimizer, self.flat)
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
            restore_optimizer(self.optimizer, self.flat, tensors)
        self.state = State.kept(state)
        self.metrics.write("resumed", step=self.state.step)
