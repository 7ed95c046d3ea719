"""Scores on the held-out rows: the loss of the expected answers, and whether the model's own are right."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..bases.context import context_of
from ..data.encoder import Encoder
from ..data.examples import Row, read_rows
from ..data.prepared import EvalText, Prepared, read_eval_texts
from ..errors import FAILED, TrainerError
from ..job.job import Job
from ..methods.four_bit import originals_held
from ..training.parallel import shared
from ..training.past import Past
from ..training.ways import Ways
from ..training.workers import ALONE, Workers
from .decode import greedy
from .few_shot import few_shot_prompts
from .job_metric import metric_for
from .scoring import RowScore, score_rows

CACHE_TO_MICRO = 4
"""Tokens in the cache for each of train.micro_tokens: decoding keeps keys and values, training every activation."""

FASTEST = Ways()

Progress = Callable[[int, int], None]
"""Takes rows done and rows in all. Called between steps of a computation; what it raises ends the evaluation."""


@dataclass(frozen=True)
class HeldOut:
    """The evaluation rows, as text and as tokens."""

    rows: list[Row]
    prepared: Prepared
    texts: list[EvalText]

    @property
    def expected(self) -> list[str]:
        return [text.expected for text in self.texts]


@dataclass(frozen=True)
class Scores:
    rows: int
    loss: float | None
    """Mean over the labelled tokens of all rows; None where it was not measured."""
    answers: list[str] | None
    """None for metric none."""
    right: list[bool] | None
    taken: dict | None = None
    """The job folder of an earlier training that computed these, and the seconds it took; None where this one did."""

    @property
    def score(self) -> float | None:
        """Share of right answers."""
        return None if self.right is None else sum(self.right) / self.rows

    def summary(self) -> dict:
        """As in result.json."""
        if self.loss is None:
            return {"score": self.score, "rows": self.rows}
        perplexity = math.exp(min(self.loss, 700))
        return {"score": self.score, "loss": self.loss, "perplexity": perplexity, "rows": self.rows}

    def as_json(self) -> dict:
        """Everything, for `Scores(**value)`."""
        return asdict(self)


def read_held_out(job: Job, job_dir: Path) -> HeldOut | None:
    """None where the job evaluates nothing."""
    if job.data.eval is None:
        return None
    rows = list(read_rows(job_dir / job.data.eval))
    prepared = Prepared(job_dir / "prepared" / "eval.safetensors")
    texts = read_eval_texts(job_dir / "prepared" / "eval.jsonl")
    if not len(rows) == len(prepared) == len(texts):
        message = f'Cannot evaluate: "{job.data.eval}" has {len(rows)} rows, its prepared form {len(prepared)}'
        raise TrainerError("not_prepared", message, "Run prepare again")
    return HeldOut(rows, prepared, texts)


def evaluate(
    model,
    encoder: Encoder,
    held_out: HeldOut,
    job: Job,
    progress: Progress,
    past: Past | None = None,
    ways: Ways = FASTEST,
    workers: Workers = ALONE,
) -> Scores:
    """Loss, and greedy answers judged by evaluate.metric. `past` stands before every prompt. Of several workers each
    computes a share of the rows; all of them return the same."""
    total = len(held_out.rows)
    decoding = job.evaluate.metric != "none"
    lengths = held_out.prepared.lengths(np.arange(total)).tolist()

    def score(places: list[int]) -> list[RowScore]:
        report = _of_share(progress, places, total)
        done = (lambda _: progress(0, total)) if decoding else report
        return score_rows(model, held_out.prepared, job.train.micro_tokens, done, past, ways.score, places)

    with _evaluating(model):
        scores = shared(_causal(model), workers, lengths, score)
        loss = _mean_loss(scores, held_out.rows)
        if not decoding:
            return Scores(total, loss, None, None)
        prompts = [prompt_of(held_out.prepared, index) for index in range(total)]
        begun = [_begun(score) for score in scores]
        return _judge(model, encoder, held_out, job, prompts, begun, loss, progress, past, ways, workers)


def evaluate_few_shot(
    model,
    encoder: Encoder,
    held_out: HeldOut,
    job: Job,
    progress: Progress,
    ways: Ways = FASTEST,
    workers: Workers = ALONE,
) -> Scores:
    """Answers of the model when instructions and training examples stand in the prompt."""
    room = context_of(model.config)
    prompts = few_shot_prompts(encoder, [text.few_shot for text in held_out.texts], held_out.rows, room)
    with _evaluating(model):
        return _judge(model, encoder, held_out, job, prompts, None, None, progress, None, ways, workers)


def _judge(model, encoder, held_out, job, prompts, begun, loss, progress, past, ways: Ways, workers: Workers) -> Scores:
    total, stop = len(held_out.rows), stop_ids(model, encoder)

    def answer(places: list[int]) -> list[list[int]]:
        return greedy(
            model,
            [prompts[place] for place in places],
            stop,
            job.evaluate.max_new_tokens,
            begun=begun and [begun[place] for place in places],
            past=past,
            token_budget=CACHE_TO_MICRO * job.train.micro_tokens,
            progress=_of_share(progress, places, total),
            way=ways.answer,
        )

    answers = shared(_causal(model), workers, [len(prompt) for prompt in prompts], answer)
    texts = [encoder.decode(answer[:-1] if answer and answer[-1] in stop else answer) for answer in answers]
    metric = metric_for(job, held_out.rows, held_out.expected)
    right = [metric(text, expected) for text, expected in zip(texts, held_out.expected, strict=True)]
    return Scores(total, loss, texts, right)


def _of_share(progress: Progress, places: list[int], total: int) -> Callable[[int], None]:
    """Reports on all rows by what is done of a worker's share."""
    return lambda done: progress(done * total // max(1, len(places)), total)


def _causal(model):
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def stop_ids(model, encoder: Encoder) -> set[int]:
    """What ends an answer when served: the template's end tokens and those of the base."""
    own = model.config.eos_token_id
    return {*encoder.stop_ids, *(own if isinstance(own, list) else [own] if own is not None else [])}


@contextmanager
def _evaluating(model) -> Iterator[None]:
    """Without dropout; leaves the model in the mode it was in."""
    training = model.training
    model.eval()
    try:
        with originals_held(model):
            yield
    finally:
        model.train(training)


def prompt_of(prepared: Prepared, index: int) -> list[int]:
    """Tokens before the first labelled one."""
    tokens, labels = prepared.row(index)
    return tokens[: labels.argmax()].tolist()


def _begun(score: RowScore) -> list[int]:
    """The greedy answer as far as the loss has already told it: what agrees, and the first token that does not."""
    return score.agreed if score.wrong is None else [*score.agreed, score.wrong]


def _mean_loss(scores: list[RowScore], rows: list[Row]) -> float:
    bad = [row.origin for row, score in zip(rows, scores, strict=True) if not math.isfinite(score.nll)]
    if bad:
        message = f"Cannot evaluate: the loss of {len(bad)} rows is not a finite number"
        raise TrainerError("not_finite", message, "Lower train.learning_rate", FAILED, rows=bad[:20])
    return math.fsum(score.nll for score in scores) / sum(score.count for score in scores)
