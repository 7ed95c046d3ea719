"""What the untrained base scores. It is the same for every method and setting that is trained from it on the same
held-out rows, so it is computed once and taken from there by all later trainings."""

import platform
import re
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..files import file_sha256
from ..job.events import say
from ..job.job import digest
from ..training.precision import bf16_instructions
from ..training.ways import Ways
from .baseline_store import BaselineStore, Kept
from .evaluate import Progress, Scores, evaluate, evaluate_few_shot, stop_ids

if TYPE_CHECKING:
    from ..training.session import Session

PACKAGE = Path(__file__).parents[1]
PROCESSOR = re.compile(r"^(?:cpu family|model|model name|CPU implementer|CPU part)\s*:(.+)$", re.MULTILINE)
LIBRARIES = ("transformers", "tokenizers", "numpy")


def score_base(session: "Session", ways: Ways, report: Progress) -> dict[str, Scores | None]:
    """The base as it is, and with the task explained in the prompt. `report` takes the rows of both together."""
    evaluation, held_out = session.job.evaluate, session.held_out
    asked = {"before": evaluation.before, "few_shot": evaluation.few_shot is not None}
    names = [name for name, wanted in asked.items() if wanted and held_out is not None]
    scores: dict[str, Scores | None] = dict.fromkeys(asked)
    for earlier, name in enumerate(names):

        def of_all(done: int, total: int, earlier: int = earlier) -> None:
            report(earlier * total + done, len(names) * total)

        scores[name] = kept_or_computed(session, name, ways, of_all)
    return scores


def kept_or_computed(session: "Session", name: str, ways: Ways, report: Progress) -> Scores:
    """Of several workers the leader looks: all of them go on with what it found."""
    store = BaselineStore(session.caches, session.metrics.warn)
    parts = session.workers.from_leader(lambda: baseline_parts(session, name, ways))
    kept = session.workers.from_leader(lambda: store.find(parts))
    if kept is not None:
        total = len(session.held_out.rows)
        report(total, total)
        say(f'The scores of the base are those that were computed in "{kept.job}"')
        session.metrics.write("baseline", score=name, job=kept.job, seconds=round(kept.seconds, 3))
        return replace(kept.scores, taken={"job": kept.job, "seconds": kept.seconds})
    start = time.monotonic()
    scores = COMPUTE[name](session, ways, report)
    if session.workers.leader:
        store.keep(parts, Kept(scores, str(session.job_dir), time.monotonic() - start))
    return scores


def compute_before(session: "Session", ways: Ways, report: Progress) -> Scores:
    job, model, workers = session.job, session.model, session.workers
    return evaluate(model, session.encoder, session.held_out, job, report, ways=ways, workers=workers)


def compute_few_shot(session: "Session", ways: Ways, report: Progress) -> Scores:
    return evaluate_few_shot(
        session.model, session.encoder, session.held_out, session.job, report, ways, session.workers
    )


COMPUTE: dict[str, Callable[["Session", Ways, Progress], Scores]] = {
    "before": compute_before,
    "few_shot": compute_few_shot,
}


def baseline_parts(session: "Session", name: str, ways: Ways) -> dict[str, Any]:
    """Everything that a score of the base depends on, to its last bit. The method is not among it: before its first
    step the model answers as the base does."""
    job, held_out, environment = session.job, session.held_out, session.environment
    answers = {
        "tokens": file_sha256(session.job_dir / "prepared" / "eval.safetensors"),
        "few_shot": digest([text.few_shot for text in held_out.texts]),
    }
    used = ("metric", "pattern", "reasoning", "max_new_tokens")
    described = ways.as_json()
    return {
        "score": name,
        "base": session.base.key,
        # Method full holds the base in fp32, whatever it computes in
        "type": str(session.model.get_input_embeddings().weight.dtype),
        "prompts": answers["few_shot" if name == "few_shot" else "tokens"],
        "expected": digest(held_out.expected),
        "rows": file_sha256(session.job_dir / job.data.eval),
        "evaluate": {field: value for field, value in asdict(job.evaluate).items() if field in used},
        "stop": sorted(stop_ids(session.model, session.encoder)),
        "hidden": sorted(session.encoder.hidden),
        "ways": {"score": described["score"], "answer": described["answer"], "turn": ways.answer.turn},
        # Rows that are computed side by side change the last bits of each other
        "micro_tokens": job.train.micro_tokens,
        "device": device_name(environment.device),
        "threads": environment.threads,
        "deterministic": environment.deterministic,
        "workers": [environment.workers, environment.parallel],
        "libraries": {"torch": torch.__version__} | {name: version(name) for name in LIBRARIES},
        "trainer": code_digest(),
    }


def device_name(device: str) -> str:
    """Two of the same name compute the same bits."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    machine = platform.machine().lower()
    capability = torch.backends.cpu.get_cpu_capability()
    # Libraries also choose by the model, and cut their work by the size of its caches
    return " ".join(filter(None, [device, machine, capability, bf16_instructions(machine), processor_name()]))


def processor_name(listed: Path = Path("/proc/cpuinfo")) -> str:
    """With its numbers: virtual machines, and Linux on ARM, tell no exact name."""
    try:
        first = listed.read_text(errors="replace").split("\n\n", 1)[0]
    except OSError:
        first = ""
    return " ".join(text.strip() for text in PROCESSOR.findall(first)) or platform.processor()


@cache
def code_digest() -> str:
    """Of this program: another version of it may compute something else."""
    files = sorted(PACKAGE.rglob("*.py"))
    return digest({path.relative_to(PACKAGE).as_posix(): file_sha256(path) for path in files})
