"""What the phases of `train` share: the job, the base and the rows, loaded."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ..bases.base import Base, prepare_base
from ..data.encoder import Encoder
from ..data.prepared import Prepared
from ..errors import TrainerError
from ..eval.evaluate import HeldOut, read_held_out
from ..export.export import check_exports
from ..files import file_sha256, read_json
from ..job.events import Metrics, say
from ..job.job import Job, digest
from ..job.stop import Stop
from ..methods import load
from .device import Environment
from .parallel import common_environment, on_cpu
from .workers import ALONE, Workers


@dataclass
class Session:
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
    workers: Workers = ALONE
    caches: Sequence[Path] = ()
    """Where scores of bases are kept, to be written into the first of them."""

    @property
    def checkpoints(self) -> Path:
        return self.job_dir / "checkpoints"

    @cached_property
    def trained_from(self) -> str:
        """Digest of everything the checkpoints depend on."""
        prepared = file_sha256(self.job_dir / "prepared" / "train.safetensors")
        return digest([self.job.trained_from(), self.report["prepared_from"], self.base.key, prepared])

    @cached_property
    def evaluated_from(self) -> str:
        """Digest of everything kept scores depend on."""
        names = ["prepared/eval.safetensors", "prepared/eval.jsonl", self.job.data.eval] if self.held_out else []
        held_out = [file_sha256(self.job_dir / name) for name in names]
        return digest([self.trained_from, asdict(self.job.evaluate), held_out])


def open_session(
    job: Job,
    job_dir: Path,
    cache: Path,
    stop: Stop,
    metrics: Metrics,
    others: Sequence[Path] = (),
    workers: Workers = ALONE,
) -> Session:
    """Loads the base, and the rows exactly as `prepare` left them."""
    report = read_report(job, job_dir)
    environment = common_environment(
        job, job_dir / "checkpoints" / "environment.json", metrics, report["base"], workers
    )
    base = prepare_base(asdict(job.base), cache, lambda phase, *_: say(phase), others)
    if base.key != report["base"]["key"]:
        message = "Cannot train: the base is not the one that the examples were prepared for"
        raise TrainerError("not_prepared", message, "Run prepare again")
    check_exports(job, base)
    chosen = report["template"]
    tokenizer = Tokenizer.from_file(str(base.dir / "tokenizer.json"))
    return Session(
        job=job,
        job_dir=job_dir,
        report=report,
        metrics=metrics,
        stop=stop,
        environment=environment,
        base=base,
        model=load_model(job, base, on_cpu(environment)),
        encoder=Encoder(tokenizer, chosen["stop"], base.info["bos"], chosen.get("markup", ())),
        rows=Prepared(job_dir / "prepared" / "train.safetensors"),
        held_out=read_held_out(job, job_dir),
        workers=workers,
        caches=(cache, *others),
    )


def read_report(job: Job, job_dir: Path) -> dict:
    """tokens.json, when it was made from this job."""
    report = read_json(job_dir / "tokens.json")
    if report is None:
        raise TrainerError("not_prepared", f'Cannot train in "{job_dir}": run prepare first')
    if report["prepared_from"] != job.prepared_from():
        message = f'Cannot train in "{job_dir}": job.json has changed since prepare'
        raise TrainerError("not_prepared", message, "Run prepare again")
    return report


def load_model(job: Job, base: Base, environment: Environment) -> Any:
    from transformers.utils import logging

    # The log is a file: a progress bar would fill it with control characters
    logging.disable_progress_bar()
    return load(job, base, environment)
