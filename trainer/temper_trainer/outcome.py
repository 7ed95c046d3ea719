"""result.json and the artifacts beside it."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .artifact import artifact
from .evaluate import Scores
from .export import export_model
from .files import sync_folder
from .loop import Loop
from .memory import peak_bytes
from .methods import Method
from .predictions import changes, write_predictions
from .session import Session


def artifacts(session: Session, method: Method, scores: dict[str, Scores | None]) -> list[dict]:
    """Writes artifacts/; what an earlier attempt left half-way is written anew."""
    folder = session.job_dir / "artifacts"
    folder.mkdir(exist_ok=True)
    found = [save_adapter(method, folder)]
    found += export_model(session.job, session.job_dir, session.base, method.merged, lambda *_: session.stop.check())
    if session.held_out:
        path = folder / "predictions.jsonl"
        write_predictions(path, session.held_out, scores["before"], scores["few_shot"], scores["after"])
        found.append(artifact("predictions", path))
    return found


def save_adapter(method: Method, folder: Path) -> dict:
    temporary, target = folder / ".adapter.tmp", folder / "adapter"
    shutil.rmtree(temporary, ignore_errors=True)
    method.save(temporary)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(temporary, target)
    sync_folder(folder)
    return artifact("adapter", target)


def outcome(session: Session, loop: Loop, scores: dict[str, Scores | None], written: list[dict]) -> dict[str, Any]:
    """The content of result.json."""
    state, seconds = loop.state, session.metrics.seconds
    training = {"train": round(state.seconds, 3), "tokens_per_second": round(state.tokens / state.seconds, 1)}
    return {
        "version": 1,
        "state": "done",
        "error": None,
        "metric": session.job.evaluate.metric,
        **{name: value and value.summary() for name, value in scores.items()},
        "parameters": {"trainable": loop.flat.values.numel(), "total": total_parameters(session, loop)},
        "steps": state.step,
        "tokens": {"trained": state.tokens, "supervised": state.supervised},
        "weights_sha256": loop.flat.sha256(),
        "artifacts": written,
        "changes": changes(scores["before"], scores["after"]),
        "environment": asdict(session.environment),
        "timing": {name: round(value, 3) for name, value in seconds.items()} | training,
        "resources": {"peak_rss": peak_bytes()},
    }


def total_parameters(session: Session, loop: Loop) -> int:
    return session.report["base"]["parameters"] + loop.flat.values.numel()
