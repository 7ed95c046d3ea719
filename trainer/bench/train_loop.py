"""One training loop in a process of its own: does as many steps as each line of stdin asks for.

python train_loop.py temper|plain JOB_DIR CACHE_DIR
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

from temper_trainer.job.events import Metrics
from temper_trainer.job.job import read_job
from temper_trainer.job.stop import Stop
from temper_trainer.methods import attach
from temper_trainer.training.batches import StepPlan
from temper_trainer.training.checkpoint import Checkpoints
from temper_trainer.training.compute import FASTEST
from temper_trainer.training.loop import Loop
from temper_trainer.training.memory import peak_bytes
from temper_trainer.training.optim import learning_rate
from temper_trainer.training.random_state import RandomState
from temper_trainer.training.session import Session, open_session


class Temper:
    """The trainer's own loop."""

    def __init__(self, session: Session):
        random = RandomState(session.job.train.seed, session.environment.device)
        method = attach(session.job, session.model, random, session.encoder.encode)
        self.log = session.job_dir / "metrics.jsonl"
        self.loop = Loop(session, method, random, Checkpoints(session.checkpoints, session.trained_from))
        method.model.train()
        # Kept, because it would undo itself otherwise
        self.way = FASTEST.on(method.causal)
        self.way.__enter__()

    def step(self, index: int) -> tuple[int, float]:
        before = self.loop.state.tokens
        self.loop.step()
        last = self.log.read_text(encoding="utf-8").splitlines()[-1]
        return self.loop.state.tokens - before, json.loads(last)["loss"]


class Plain:
    """What the documentation of PEFT and transformers shows: padded batches, labels of -100, the model's own loss."""

    def __init__(self, session: Session):
        from peft import LoraConfig, get_peft_model

        self.train, self.rows = session.job.train, session.rows
        lora, train = session.job.method, self.train
        torch.use_deterministic_algorithms(False)
        torch.manual_seed(train.seed)
        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=lora.target,
            use_rslora=lora.rslora,
        )
        self.plan = StepPlan(len(self.rows), train.batch_size, train.epochs, train.max_steps, train.seed)
        self.model = get_peft_model(session.model, config).train()
        self.parameters = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=train.learning_rate, weight_decay=train.weight_decay)

    def step(self, index: int) -> tuple[int, float]:
        batch = pad([self.rows.row(row) for row in self.plan.rows_of(index)], self.model.device)
        loss = self.model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.train.max_grad_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.train, index, self.plan.steps)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return int(batch["attention_mask"].sum()), loss.item()


def pad(rows, device) -> dict[str, torch.Tensor]:
    """Right-padded token ids, mask and labels."""
    width = max(len(tokens) for tokens, _ in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for i, (tokens, wanted) in enumerate(rows):
        length = len(tokens)
        ids[i, :length] = torch.from_numpy(tokens.astype("int64"))
        mask[i, :length] = 1
        labels[i, :length] = ids[i, :length].where(torch.from_numpy(wanted.astype(bool)), -100)
    batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    return {name: tensor.to(device) for name, tensor in batch.items()}


def main(name: str, job_dir: Path, cache: Path) -> None:
    session = open_session(read_job(job_dir), job_dir, cache, Stop(), Metrics(job_dir / "metrics.jsonl"))
    loop = {"temper": Temper, "plain": Plain}[name](session)
    done = 0
    print(json.dumps(asdict(session.environment)), flush=True)
    for line in sys.stdin:
        start, tokens, losses = time.monotonic(), 0, []
        for _ in range(int(line)):
            count, loss = loop.step(done)
            done, tokens, losses = done + 1, tokens + count, [*losses, loss]
        seconds = time.monotonic() - start
        print(json.dumps({"tokens": tokens, "seconds": seconds, "losses": losses, "peak": peak_bytes()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
