"""`train`: load, baseline, train, evaluate, export. Each phase finds what an earlier attempt has finished."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from .base import Base, prepare_base
from .checkpoint import Checkpoints
from .device import Environment, settle
from .errors import TrainerError
from .evaluate import HeldOut, Scores, evaluate, evaluate_few_shot, read_held_out
from .events import Metrics, say
from .files import read_json, write_json
from .job import Job, Template, Turn, digest
from .loop import Loop
from .methods import Method, attach
from .outcome import artifacts, outcome
from .prepared import Prepared
from .random_state import RandomState
from .stop import Stop
from .template import Encoder


@dataclass
class Session:
    """What the phases share."""

    job: Job
    job_dir: Path
    report: dict
    """tokens.json"""
    metrics: Metrics
    stop: Stop
    environment: Environment
    base: Base
    model: Any
    encoder: Encoder
    rows: Prepared
    held_out: HeldOut | None

    @property
    def checkpoints(self) -> Path:
        return self.job_dir / "checkpoints"


def train(job: Job, job_dir: Path, cache: Path, stop: Stop) -> dict:
    """Does the whole job; returns result.json."""
    report = read_report(job, job_dir)
    metrics = Metrics(job_dir / "metrics.jsonl")
    with metrics.phase("load"):
        session = load(job, job_dir, cache, stop, report, metrics)
    baseline = kept_scores(session, "baseline", evaluate_base)
    random = RandomState(job.train.seed, session.environment.device)
    method = attach(job, session.model, random)
    loop = Loop(
        job,
        job_dir / job.data.train,
        session.rows,
        method,
        random,
        session.environment,
        metrics,
        Checkpoints(session.checkpoints, trained_from(session)),
        stop,
    )
    with metrics.phase("train"):
        loop.run()
    after = kept_scores(session, "after", lambda session: {"after": evaluate_trained(session, method)})
    with metrics.phase("export"):
        written = artifacts(job, job_dir, session.base, method, session.held_out, baseline | after)
    return outcome(session, loop, baseline | after, written)


def read_report(job: Job, job_dir: Path) -> dict:
    """tokens.json, when it was made from this job."""
    report = read_json(job_dir / "tokens.json")
    if report is None:
        raise TrainerError("not_prepared", f'Cannot train in "{job_dir}": run prepare first')
    if report["prepared_from"] != job.prepared_from():
        message = f'Cannot train in "{job_dir}": job.json has changed since prepare'
        raise TrainerError("not_prepared", message, "Run prepare again")
    return report


def load(job: Job, job_dir: Path, cache: Path, stop: Stop, report: dict, metrics: Metrics) -> Session:
    environment = settle(job, job_dir / "checkpoints" / "environment.json", metrics)
    base = prepare_base(asdict(job.base), cache, lambda phase, *_: say(phase))
    if base.key != report["base"]["key"]:
        message = "Cannot train: the base is another one than when the examples were prepared"
        raise TrainerError("not_prepared", message, "Run prepare again")
    chosen = report["template"]
    template = Template(**chosen | {"turns": {role: Turn(**turn) for role, turn in chosen["turns"].items()}})
    return Session(
        job=job,
        job_dir=job_dir,
        report=report,
        metrics=metrics,
        stop=stop,
        environment=environment,
        base=base,
        model=base.load_model(environment.torch_dtype, environment.device),
        encoder=Encoder(Tokenizer.from_file(str(base.dir / "tokenizer.json")), template),
        rows=Prepared(job_dir / "prepared" / "train.safetensors"),
        held_out=read_held_out(job, job_dir),
    )


def trained_from(session: Session) -> str:
    """Digest of everything the checkpoints depend on."""
    offsets = session.rows.offsets
    prepared = [len(session.rows), int(offsets[-1]), session.report["train"]["supervised"]]
    return digest([session.job.trained_from(), session.report["prepared_from"], session.base.key, prepared])


def kept_scores(
    session: Session, name: str, compute: Callable[[Session], dict[str, Scores | None]]
) -> dict[str, Scores | None]:
    """Scores of an earlier attempt, or new ones, kept for the next attempt."""
    path = session.checkpoints / f"{name}.json"
    kept = read_json(path)
    if kept is None:
        phase = "baseline" if name == "baseline" else "evaluate"
        with session.metrics.phase(phase):
            scores = compute(session)
        kept = {key: value and value.as_json() for key, value in scores.items()}
        kept = {"seconds": session.metrics.seconds[phase], "scores": kept}
        write_json(path, kept)
    session.metrics.seconds[phase_of(name)] = kept["seconds"]
    return {key: value and Scores(**value) for key, value in kept["scores"].items()}


def phase_of(name: str) -> str:
    return {"baseline": "baseline", "after": "evaluate"}[name]


def evaluate_base(session: Session) -> dict[str, Scores | None]:
    """The base as it is, and with the task explained in the prompt."""
    scores: dict[str, Scores | None] = {"before": None, "few_shot": None}
    job, held_out = session.job, session.held_out
    if held_out and job.evaluate.before:
        scores["before"] = evaluate(session.model, session.encoder, held_out, job, progress(session, "baseline"))
    if held_out and job.evaluate.few_shot:
        report = progress(session, "baseline")
        scores["few_shot"] = evaluate_few_shot(session.model, session.encoder, held_out, job, session.job_dir, report)
    return scores


def evaluate_trained(session: Session, method: Method) -> Scores | None:
    if session.held_out is None:
        return None
    return evaluate(method.model, session.encoder, session.held_out, session.job, progress(session, "evaluate"))


def progress(session: Session, phase: str) -> Callable[[int, int], None]:
    """Writes an event for each further share of the rows, at most about a hundred, never less than a second apart."""
    last = {"done": -1, "time": 0.0}

    def report(done: int, total: int) -> None:
        session.stop.check()
        due = time.monotonic() - last["time"] >= 1 and done != last["done"]
        if due or (done == total != last["done"]):
            last.update(done=done, time=time.monotonic())
            session.metrics.write("eval", phase=phase, done=done, total=total)

    return report
