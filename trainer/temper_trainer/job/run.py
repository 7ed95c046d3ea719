"""The verbs, from the lock to the exit code."""

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from ..errors import TrainerError
from ..files import read_json, write_json
from ..training.workers import LOST, Workers, from_environment
from .events import Metrics, print_progress, say
from .failures import explain
from .job import read_job
from .lock import folder_lock, job_lock
from .stop import Stop, Stopped


def run_prepare(job_dir: Path, cache: Path, others: Sequence[Path] = ()) -> int:
    """Exit code of `prepare`; error.json says what went wrong."""
    try:
        with folder_lock(job_dir):
            (job_dir / "error.json").unlink(missing_ok=True)
            try:
                job = read_job(job_dir)
                # Imported late: a bad job is refused before seconds go into loading libraries
                from ..data.prepare import prepare

                prepare(job, job_dir, cache, print_progress, others)
                return 0
            except Exception as error:
                return fail(explain(error), lambda failure: write_error(job_dir, failure))
    except Exception as error:
        return fail(explain(error))


def run_train(job_dir: Path, cache: Path, stop: Stop, others: Sequence[Path] = ()) -> int:
    """Exit code of `train`; result.json says what went wrong. Of several workers one holds the lock and writes."""
    try:
        workers = from_environment()
        with job_lock(job_dir) if workers.leader else nullcontext():
            result = read_json(job_dir / "result.json")
            if result and result["state"] == "done":
                return 0
            if workers.leader:
                (job_dir / "result.json").unlink(missing_ok=True)
            return train_job(job_dir, cache, stop, others, workers)
    except Exception as error:
        return fail(explain(error))


def train_job(job_dir: Path, cache: Path, stop: Stop, others: Sequence[Path], workers: Workers) -> int:
    try:
        result = work(job_dir, cache, stop, others, workers)
        if workers.leader:
            write_json(job_dir / "result.json", result)
        return 0
    except Stopped:
        # Where a worker fails, whoever started them asks the others to stop
        failure = workers.failure()
        if failure is None:
            raise
    except Exception as error:
        failure = workers.explain(error)
    # A worker that was lost says nothing about the job: starting again goes on
    written = workers.leader and failure.code != LOST
    return fail(failure, (lambda failure: write_failed(job_dir, failure)) if written else None)


def run_judge(job_dir: Path, answers: Path) -> int:
    """Exit code of `judge`, which prints its verdict. Changes nothing, so it needs no lock."""
    try:
        from ..eval.judge import judge

        print(json.dumps(judge(read_job(job_dir), job_dir, answers)))
        return 0
    except Exception as error:
        return fail(explain(error))


def work(job_dir: Path, cache: Path, stop: Stop, others: Sequence[Path], workers: Workers) -> dict | None:
    """The content of result.json, for the worker that writes it. Importing PyTorch is part of the phase that loads."""
    job = read_job(job_dir)
    metrics = Metrics(job_dir / "metrics.jsonl" if workers.leader else None)
    with metrics.phase("load"):
        from ..training.session import open_session
        from ..training.train import make_ready, train

        workers.join(job.train.device)
        session = open_session(job, job_dir, cache, stop, metrics, others, workers)
        ready = make_ready(session)
    return train(session, ready)


def write_error(job_dir: Path, failure: TrainerError) -> None:
    write_json(job_dir / "error.json", {"version": 1, **failure.as_json()})


def write_failed(job_dir: Path, failure: TrainerError) -> None:
    write_json(job_dir / "result.json", {"version": 1, "state": "failed", "error": failure.as_json()})


def fail(failure: TrainerError, record=None) -> int:
    say(failure.message)
    if failure.hint:
        say(failure.hint)
    if record:
        try:
            record(failure)
        except OSError as error:
            print(f"Cannot write the reason for the failure: {error}", file=sys.stderr)
    return failure.exit_code
