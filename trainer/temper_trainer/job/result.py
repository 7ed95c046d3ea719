"""result.json and the artifacts."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..eval.evaluate import Scores
from ..eval.predictions import changes, write_predictions
from ..export.artifact import artifact
from ..export.export import Judge, export_model
from ..export.export_check import check_logits
from ..export.merge_check import check_merged
from ..export.samples import final_states, trained_samples
from ..export.tokenizer_files import carry_tokenizer, trained_template
from ..files import sync_file, sync_folder
from ..methods import Method
from ..training.compute import Way
from ..training.loop import Loop
from ..training.memory import device_bytes, peak_bytes
from ..training.optim import FlatParameters
from ..training.precision import devices
from ..training.session import Session
from ..training.utilisation import utilisation
from ..training.ways import Ways


@dataclass(frozen=True)
class Trained:
    """A whole model, and what was trained of it."""

    method: Method
    flat: FlatParameters


@dataclass(frozen=True)
class Written:
    artifacts: list[dict]
    facts: Mapping[str, Any]
    """What the merge has to say, for result.json."""


def write_artifacts(session: Session, method: Method, scores: dict[str, Scores | None], way: Way) -> Written:
    """Writes artifacts/; what an earlier attempt left half-way is written anew."""
    folder = session.job_dir / "artifacts"
    folder.mkdir(exist_ok=True)
    found = [save_trained(session, method, folder)]
    predictions = folder / "predictions.jsonl"
    if session.held_out:
        # Before an export that may be refused: the answers are worth keeping.
        before, few_shot, after = scores["before"], scores["few_shot"], scores["after"]
        write_predictions(predictions, session.held_out, before, few_shot, after, method.prefix_length)
    export, facts = session.job.export, {}
    if export.gguf or export.merged:
        check_merged(method, session.rows)
        merge = method.merge(lambda: final_states(session, method, way))
        exported = export_model(
            session.job,
            session.job_dir,
            session.base,
            merge,
            lambda *_: session.stop.check(),
            judge_of(session, method),
        )
        facts = {**merge.facts, "export_check": exported.check}
        found += exported.artifacts
    if session.held_out:
        found.append(artifact("predictions", predictions))
    return Written(found, facts)


def judge_of(session: Session, method: Method) -> Judge:
    """Compares a file with the model that was trained."""
    samples, types = (lambda: trained_samples(session, method)), session.environment.dtype
    return lambda path: check_logits(path, session.job.export.quantization, samples, types)


def save_trained(session: Session, method: Method, folder: Path) -> dict:
    temporary, target = folder / f".{method.artifact}.tmp", folder / method.artifact
    shutil.rmtree(temporary, ignore_errors=True)
    method.save(temporary)
    carry_tokenizer(session.base.dir, temporary, trained_template(session.job_dir))
    for path in temporary.iterdir():
        sync_file(path)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(temporary, target)
    sync_folder(folder)
    return artifact(method.artifact, target)


def result_json(
    session: Session,
    trained: Trained,
    loop: Loop,
    scores: dict[str, Scores | None],
    written: Written,
    ways: Ways,
    peaks: list[dict[str, int]],
) -> dict[str, Any]:
    """The content of result.json. `peaks`: the most memory of each worker before the export."""
    state, seconds, flat = loop.state, session.metrics.seconds, trained.flat
    training = {"train": round(state.seconds, 3), "tokens_per_second": round(state.tokens / state.seconds, 1)}
    return {
        "version": 1,
        "state": "done",
        "error": None,
        "metric": session.job.evaluate.metric,
        **{name: value and value.summary() for name, value in scores.items()},
        "parameters": {
            "trainable": flat.count,
            "total": session.report["base"]["parameters"] + (flat.count if trained.method.adds else 0),
            "bytes": weights_bytes(session.job_dir / "artifacts" / trained.method.artifact),
        },
        "steps": state.step,
        **({} if state.loss_scale.scale is None else {"skipped_steps": state.loss_scale.skipped}),
        "tokens": {"trained": state.tokens, "supervised": state.supervised},
        "weights_sha256": flat.sha256(),
        "artifacts": written.artifacts,
        **written.facts,
        "changes": changes(scores["before"], scores["after"]),
        "environment": asdict(session.environment) | {"ways": ways.as_json(), "compiled": loop.compiled},
        "timing": {name: round(value, 3) for name, value in seconds.items()} | training,
        "resources": resources(session, loop, peaks) | taken_from(scores),
    }


def resources(session: Session, loop: Loop, peaks: list[dict[str, int]]) -> dict[str, Any]:
    """Memory comes first: measuring the device takes some."""
    memory = {"peak_rss": peak_bytes()} | device_bytes(session.environment.device) | devices()
    memory |= {} if session.workers.alone else {"workers": peaks}
    return memory | {"checkpointing": loop.checkpointing} | utilisation(session, loop)


def taken_from(scores: dict[str, Scores | None]) -> dict[str, Any]:
    """Scores of the base that an earlier training computed, and what that took."""
    taken = {name: value.taken for name, value in scores.items() if value and value.taken}
    return {"baseline": taken} if taken else {}


def weights_bytes(folder: Path) -> int:
    """Size of what was trained, without the tokenizer that lies beside it."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
