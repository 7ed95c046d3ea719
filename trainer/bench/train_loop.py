"""One training loop in a process of its own: does a block of steps for each line of stdin.

python train_loop.py temper|trl JOB_DIR CACHE_DIR short|long fp32|bf16 STEPS BLOCKS
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from temper_trainer.job.events import Metrics
from temper_trainer.job.job import Job, read_job
from temper_trainer.job.stop import Stop
from temper_trainer.methods import attach
from temper_trainer.training.batches import StepPlan
from temper_trainer.training.checkpoint import Checkpoints
from temper_trainer.training.compute import FASTEST
from temper_trainer.training.device import resolve
from temper_trainer.training.loop import Loop
from temper_trainer.training.memory import peak_bytes
from temper_trainer.training.precision import ask_torch, fast_types
from temper_trainer.training.random_state import RandomState
from temper_trainer.training.session import Session, open_session

FIRST_LOSS: list[float] = []
"""What the first step came to, before any of the random numbers that the loops draw differently matters."""


class LongRows:
    """Rows of 300 to 900 tokens, each made of as many of the demo's rows."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def parts(self) -> list[tuple[np.ndarray, np.ndarray]]:
        wanted = np.random.Generator(np.random.PCG64(7)).integers(300, 901, len(self.rows))
        return [self.joined(first, int(length)) for first, length in enumerate(wanted)]

    def joined(self, first: int, length: int) -> tuple[np.ndarray, np.ndarray]:
        taken, total = [], 0
        while total < length:
            taken.append(self.rows.row((first + len(taken)) % len(self.rows)))
            total += len(taken[-1][0])
        tokens, labels = (np.concatenate(part)[:length] for part in zip(*taken, strict=True))
        return tokens, labels

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.parts[index]

    def lengths(self, rows) -> np.ndarray:
        return np.array([len(self.parts[row][0]) for row in rows])


def measure(session: Session, plan: StepPlan, steps: int, start: int) -> Iterator[int]:
    """A block of steps, for whoever does them; then what they came to."""
    began, tokens = time.monotonic(), 0
    for step in range(start, start + steps):
        yield step
        tokens += int(session.rows.lengths(plan.rows_of(step)).sum())
    seconds = time.monotonic() - began
    say(tokens=tokens, seconds=seconds, peak=peak_bytes(), firstLoss=FIRST_LOSS[0])


def say(**fields) -> None:
    print(json.dumps({"bench": "block"} | fields), flush=True)


def temper(session: Session, plan: StepPlan, steps: int, blocks: int) -> None:
    """The trainer's own loop."""
    random = RandomState(session.job.train.seed, session.environment.device)
    method = attach(session.job, session.model, random, session.encoder.encode)
    log = session.job_dir / "metrics.jsonl"
    loop = Loop(session, method, random, Checkpoints(session.checkpoints, session.trained_from))
    method.model.train()
    with FASTEST.on(method.causal):
        for block in range(blocks):
            sys.stdin.readline()
            for step in measure(session, plan, steps, block * steps):
                loop.step()
                if step == 0:
                    FIRST_LOSS.append(json.loads(log.read_text(encoding="utf-8").splitlines()[-1])["loss"])


def trl(session: Session, plan: StepPlan, steps: int, blocks: int) -> None:
    """TRL's SFTTrainer, as its documentation shows it, on the tokens and labels that the other loop trains on."""
    from datasets import Dataset
    from datasets.table import InMemoryTable
    from peft import LoraConfig
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class TakingTurns(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            if state.global_step % steps == 0:
                sys.stdin.readline()
                self.block = measure(session, plan, steps, state.global_step)
                next(self.block)

        def on_log(self, args, state, control, logs=None, **_):
            if "loss" in logs:  # after each step; once more at the end, with something else
                FIRST_LOSS.append(logs["loss"])
                next(self.block, None)

    lora, train = session.job.method, session.job.train
    rows = [session.rows.row(int(row)) for step in range(steps * blocks) for row in plan.rows_of(step)]
    labels = [np.where(wanted.astype(bool), tokens, -100).tolist() for tokens, wanted in rows]
    columns = {"input_ids": [tokens.tolist() for tokens, _ in rows], "labels": labels}
    torch.use_deterministic_algorithms(False)
    trainer = SFTTrainer(
        model=session.model,
        processing_class=AutoTokenizer.from_pretrained(session.base.dir),
        # With a name, because it would hash itself to find one, and fails to with these versions
        train_dataset=Dataset(InMemoryTable.from_pydict(columns), fingerprint="rows"),
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=lora.target,
            use_rslora=lora.rslora,
        ),
        callbacks=[TakingTurns()],
        args=SFTConfig(
            output_dir=str(session.job_dir / "trl"),
            per_device_train_batch_size=train.batch_size,
            max_steps=steps * blocks,
            learning_rate=train.learning_rate,
            lr_scheduler_type=train.schedule,
            weight_decay=train.weight_decay,
            max_grad_norm=train.max_grad_norm,
            max_length=None,
            seed=train.seed,
            bf16=session.environment.dtype == "bf16",
            use_cpu=session.environment.device == "cpu",
            gradient_checkpointing=False,
            dataset_kwargs={"skip_prepare_dataset": True},
            train_sampling_strategy="sequential",
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
    )
    trainer.train()


def main(name: str, job_dir: Path, cache: Path, kind: str, dtype: str, steps: int, blocks: int) -> None:
    job: Job = read_job(job_dir)
    alone = replace(job, train=replace(job.train, dtype="auto"))
    auto = resolve(alone, fast_types(ask_torch())).dtype
    job = replace(job, train=replace(job.train, dtype=dtype))
    session = open_session(job, job_dir, cache, Stop(), Metrics(job_dir / "metrics.jsonl"))
    if kind == "long":
        session.rows = LongRows(session.rows)
    train = job.train
    plan = StepPlan(len(session.rows), train.batch_size, 1000, None, train.seed)
    say(auto=auto)
    {"temper": temper, "trl": trl}[name](session, plan, steps, blocks)


if __name__ == "__main__":
    name, job_dir, cache, kind, dtype, steps, blocks = sys.argv[1:]
    main(name, Path(job_dir), Path(cache), kind, dtype, int(steps), int(blocks))
