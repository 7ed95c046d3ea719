"""`train`: baseline, train, evaluate, export. Each phase finds what an earlier attempt has finished."""

import time
from collections.abc import Callable

from .checkpoint import Checkpoints
from .evaluate import Scores, evaluate, evaluate_few_shot
from .files import read_json, write_json
from .loop import Loop
from .methods import Method, attach
from .outcome import outcome, write_artifacts
from .random_state import RandomState
from .session import Session

Kept = dict[str, Scores | None]


def train(session: Session) -> dict:
    """Does the whole job; returns the content of result.json."""
    baseline = kept_scores(session, "baseline", evaluate_base)
    random = RandomState(session.job.train.seed, session.environment.device)
    method = attach(session.job, session.model, random, session.encoder.encode)
    checkpoints = Checkpoints(session.checkpoints, session.trained_from())
    loop = Loop(session, method, random, checkpoints)
    with session.metrics.phase("train"):
        loop.run()
    scores = baseline | kept_scores(session, "evaluate", lambda session: evaluate_trained(session, method))
    with session.metrics.phase("export"):
        written = write_artifacts(session, method, scores)
    return outcome(session, loop, scores, written)


def kept_scores(session: Session, phase: str, compute: Callable[[Session], Kept]) -> Kept:
    """Scores of an earlier attempt, or new ones, kept for the next attempt."""
    path = session.checkpoints / f"{phase}.json"
    kept = read_json(path)
    if kept is None or kept["job"] != session.evaluated_from():
        with session.metrics.phase(phase):
            scores = compute(session)
        kept = {
            "job": session.evaluated_from(),
            "seconds": session.metrics.seconds[phase],
            "scores": {name: value and value.as_json() for name, value in scores.items()},
        }
        write_json(path, kept)
    session.metrics.seconds[phase] = kept["seconds"]
    return {name: value and Scores(**value) for name, value in kept["scores"].items()}


def evaluate_base(session: Session) -> Kept:
    """The base as it is, and with the task explained in the prompt."""
    scores: Kept = {"before": None, "few_shot": None}
    job, held_out, report = session.job, session.held_out, progress(session, "baseline")
    if held_out is None:
        return scores
    rounds = job.evaluate.before + (job.evaluate.few_shot is not None)
    earlier = job.evaluate.before * len(held_out.rows)
    if job.evaluate.before:
        scores["before"] = evaluate(
            session.model, session.encoder, held_out, job, lambda done, total: report(done, rounds * total)
        )
    if job.evaluate.few_shot:
        scores["few_shot"] = evaluate_few_shot(
            session.model,
            session.encoder,
            held_out,
            job,
            lambda done, total: report(earlier + done, rounds * total),
        )
    return scores


def evaluate_trained(session: Session, method: Method) -> Kept:
    held_out, report = session.held_out, progress(session, "evaluate")
    if held_out is None:
        return {"after": None}
    return {"after": evaluate(method.model, session.encoder, held_out, session.job, report, method.past())}


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
