"""`train`: baseline, train, evaluate, export. Each phase finds what an earlier attempt has finished."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..errors import TrainerError
from ..eval.baseline import score_base
from ..eval.evaluate import Scores, evaluate
from ..export.merge_check import check_merge_values
from ..files import read_json, write_json
from ..job.result import Trained, result_json, write_artifacts
from ..methods import Method, attach
from .checkpoint import Checkpoints
from .checkpointing import choose_checkpointing
from .loop import Loop
from .memory import device_bytes, peak_bytes
from .optim import FlatParameters, check_optimizer
from .parallel import divide, on_cpu
from .random_state import RandomState
from .session import Session, load_model
from .ways import Longest, Ways, choose_ways

Kept = dict[str, Scores | None]


@dataclass(frozen=True)
class Ready:
    """A method on its base, and how its rows are computed."""

    method: Method
    flat: FlatParameters
    random: RandomState
    ways: Ways
    checkpointing: bool


def make_ready(session: Session) -> Ready:
    """Refuses what cannot be trained, before anything has been computed for nothing."""
    random = RandomState(session.job.train.seed, session.environment.device)
    check_optimizer(session.job.train, session.environment.device, session.workers)
    method = attach(session.job, session.model, random, session.encoder.encode)
    export = session.job.export
    if export.gguf or export.merged:
        check_merge_values(session.base, method)
    if session.environment.parallel == "fsdp":
        flat = divide(method, session.environment.device, session.workers)
    else:
        flat = FlatParameters(method.parameters(), session.workers)
    ways, notes = choose_ways(method, session.rows, longest(session), decodes(session))
    if session.job.added_tokens() and ways.score.head != "fast":
        message = "Cannot export the tokens of this prefix: the base modifies the logits after its head"
        raise TrainerError("unsupported_export", message, "Set export.gguf and export.merged to false")
    for note in notes:
        session.metrics.warn(note)
    return Ready(method, flat, random, ways, choose_checkpointing(session, method, ways.train, random))


def decodes(session: Session) -> bool:
    return session.held_out is not None and session.job.evaluate.metric != "none"


def longest(session: Session) -> Longest:
    """Of training rows, and of held-out rows whose answers may come out longer than the expected ones."""
    prefix_length, held_out = session.job.prefix_length(), session.held_out
    row = int(session.rows.lengths(np.arange(len(session.rows))).max())
    answered = 0
    if held_out is not None:
        answered = int(held_out.prepared.lengths(np.arange(len(held_out.prepared))).max())
        answered += session.job.evaluate.max_new_tokens if decodes(session) else 0
        if session.job.evaluate.few_shot:
            shown = max(len(session.encoder.encode_prompt(text.few_shot)) for text in held_out.texts)
            answered = max(answered, shown + session.job.evaluate.max_new_tokens)
    return Longest(prefix_length + row, prefix_length + answered)


def train(session: Session, ready: Ready) -> dict | None:
    """Does the whole job; returns the content of result.json, or None to a worker that has only computed."""
    method, ways, workers = ready.method, ready.ways, session.workers
    with method.off():
        report = progress(session, "baseline")
        baseline = kept_scores(session, "baseline", lambda session: score_base(session, ways, report))
    checkpoints = Checkpoints(session.checkpoints, session.trained_from)
    loop = Loop(session, method, ready.random, checkpoints, ways.train, ready.flat, ready.checkpointing)
    with session.metrics.phase("train"):
        loop.run()
    scores = baseline | kept_scores(session, "evaluate", lambda session: evaluate_trained(session, method, ways))
    values = ready.flat.whole(ready.flat.values)
    peaks = workers.gather({"peak_rss": peak_bytes()} | device_bytes(session.environment.device))
    workers.part()
    if not workers.leader:
        return None
    with session.metrics.phase("export"):
        if session.environment.parallel == "fsdp":
            undivided, trained = put_together(session, values)
        else:
            undivided, trained = session, Trained(method, ready.flat)
        written = write_artifacts(undivided, trained.method, scores, ways.train)
    return result_json(session, trained, loop, scores, written, ways, peaks)


def put_together(session: Session, values: torch.Tensor) -> tuple[Session, Trained]:
    """What the leader exports where each worker had a part of the model: the base, read anew into the machine's memory,
    with the trained values in it."""
    environment = on_cpu(session.environment)
    model = load_model(session.job, session.base, environment)
    random = RandomState(session.job.train.seed, environment.device)
    method = attach(session.job, model, random, session.encoder.encode)
    flat = FlatParameters(method.parameters())
    flat.fill(flat.values, values)
    return replace(session, model=model, environment=environment), Trained(method, flat)


def kept_scores(session: Session, phase: str, compute: Callable[[Session], Kept]) -> Kept:
    """Scores of an earlier attempt, or new ones, kept for the next attempt."""
    path = session.checkpoints / f"{phase}.json"
    kept = session.workers.from_leader(lambda: read_json(path))
    if kept is None or kept["job"] != session.evaluated_from:
        with session.metrics.phase(phase):
            scores = compute(session)
        kept = {
            "job": session.evaluated_from,
            "seconds": session.metrics.seconds[phase],
            "scores": {name: value and value.as_json() for name, value in scores.items()},
        }
        if session.workers.leader:
            write_json(path, kept)
    session.metrics.seconds[phase] = kept["seconds"]
    return {name: value and Scores(**value) for name, value in kept["scores"].items()}


def evaluate_trained(session: Session, method: Method, ways: Ways) -> Kept:
    held_out, report = session.held_out, progress(session, "evaluate")
    if held_out is None:
        return {"after": None}
    past, workers = method.past(), session.workers
    return {"after": evaluate(method.model, session.encoder, held_out, session.job, report, past, ways, workers)}


def progress(session: Session, phase: str) -> Callable[[int, int], None]:
    """Writes an event when more rows are done, at most one each second."""
    last = {"done": -1, "time": 0.0}

    def report(done: int, total: int) -> None:
        session.stop.check()
        if done == last["done"] or (done < total and time.monotonic() - last["time"] < 1):
            return
        last.update(done=done, time=time.monotonic())
        session.metrics.write("eval", phase=phase, done=done, total=total)

    return report
