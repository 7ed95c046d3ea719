"""job.json, version 1: what there is to do, checked before anything slow is loaded."""

import hashlib
import json
import re
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from ..errors import TrainerError
from .settings import STRICT, Adapter, Base, Checks, Data, Evaluate, Export, Method, Prefix, Template, Train
from .validation import refuse, validate

ROLES = ("system", "user", "assistant")
"""The roles that a linear template has turns for."""
PREPARED = ("base", "template", "chat_template", "templates", "data", "checks")
"""Fields that what is prepared depends on."""


UNTRAINED = ("checkpoint_seconds", "device", "dtype", "compile", "checkpointing", "parallel", "deterministic")
"""Fields of train that say how training is computed, not what comes of it."""


@dataclass(frozen=True, config=STRICT)
class Job:
    version: Literal[1]
    """Of this file's format."""
    name: str
    """Name of the pipeline."""
    base: Base
    """The model to start from."""
    template: str
    """Name of one of the templates, jinja, or auto: the base's own chat template where it has one."""
    templates: list[Template]
    """Linear chat templates, of which one may be chosen."""
    data: Data
    """The examples."""
    checks: Checks
    """What to do about rows that do not fit."""
    method: Method
    """What is trained."""
    train: Train
    """How it is trained."""
    evaluate: Evaluate
    """How the result is measured."""
    export: Export
    """What is written beside the trained part."""
    chat_template: str | None = None
    """The text of the chat template for jinja, else null. Jobs of earlier versions do not say."""

    def prepared_from(self) -> str:
        """Digest of everything `prepare` depends on besides the bytes of the examples and the base."""
        parts = {key: asdict(self)[key] for key in PREPARED}
        rest = {"max_length": self.train.max_length, "ahead": self.prefix_length(), "added_tokens": self.added_tokens()}
        few_shot = self.evaluate.few_shot and [asdict(self.evaluate.few_shot), self.train.seed]
        return digest(parts | rest | {"few_shot": few_shot})

    def prefix_length(self) -> int:
        """Positions of the context that the trained part takes from every row."""
        return self.method.length if isinstance(self.method, Prefix) else 0

    def added_tokens(self) -> int:
        """Tokens that an exported model has behind the base's own."""
        return self.prefix_length() if self.export.gguf or self.export.merged else 0

    def added_width(self) -> int:
        """How much wider the feed-forward part of an exported model is than the base's."""
        return self.method.size if isinstance(self.method, Adapter) else 0

    def trained_from(self) -> str:
        """Digest of everything the trained weights depend on besides the prepared bytes and the machine."""
        # A field that earlier versions did not have counts where it is not as it was then
        since = {field.name: field.default for field in fields(self.train)}
        named = {k: v for k, v in asdict(self.train).items() if k not in UNTRAINED}
        train = {k: v for k, v in named.items() if v != since[k]}
        return digest({"base": asdict(self.base), "method": asdict(self.method), "train": train})


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@cache
def adapter() -> TypeAdapter:
    return TypeAdapter(Job)


def schema() -> dict[str, Any]:
    """The content of trainer/job.schema.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **adapter().json_schema()}


def read_job(job_dir: Path) -> Job:
    """Reads and checks JOB_DIR/job.json."""
    path = job_dir / "job.json"
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text)
    except FileNotFoundError:
        raise TrainerError("bad_job", f'Cannot read "{path}": there is no such file') from None
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError("bad_job", f'Cannot read "{path}": {error}') from None
    except json.JSONDecodeError as error:
        raise TrainerError("bad_job", f'Cannot read "{path}": not JSON at line {error.lineno}: {error.msg}') from None
    if isinstance(value, dict) and value.get("version") != 1:
        refuse("version", f"is {value.get('version')!r}; this trainer reads version 1")
    job = validate(adapter(), text, value)
    check_templates(job)
    check_evaluate(job)
    check_method(job)
    return job


def check_templates(job: Job) -> None:
    names = [template.name for template in job.templates]
    if job.template not in ("auto", "jinja", *names):
        refuse("template", f"is {job.template!r} and must be auto, jinja or one of {', '.join(names)}")
    if (job.template == "jinja") != (job.chat_template is not None):
        refuse("chat_template", "must be a text with template jinja, and null with any other")
    if job.template == "jinja" and isinstance(job.method, Prefix):
        refuse("template", "must be a linear template: the tokens of a prefix come before its text")
    for i, template in enumerate(job.templates):
        at = f"templates[{i}]"
        for role in ROLES:
            if role not in template.turns:
                refuse(f"{at}.turns.{role}", "is missing")
        if set(template.turns) != set(ROLES):
            refuse(f"{at}.turns", f"may only contain {', '.join(ROLES)}")
        if not template.turns["assistant"].close.startswith(template.stop[0]):
            refuse(f"{at}.turns.assistant.close", f"must begin with the first of stop, {template.stop[0]!r}")
        if not template.prefix + template.turns["assistant"].open:
            refuse(f"{at}.turns.assistant.open", "must not be empty")


def check_evaluate(job: Job) -> None:
    if job.evaluate.metric == "regex":
        if job.evaluate.pattern is None:
            refuse("evaluate.pattern", "is missing: metric regex needs it")
        try:
            re.compile(job.evaluate.pattern.replace("{{ expected }}", "x"))
        except re.error as error:
            refuse("evaluate.pattern", f"is not a regular expression: {error}")
    if job.evaluate.few_shot and not job.data.eval:
        refuse("evaluate.few_shot", "needs data.eval")


def check_method(job: Job) -> None:
    method = job.method
    if job.train.optimizer == "adamw_8bit" and method.kind != "full":
        refuse("train.optimizer", f"must be adamw: method.kind {method.kind} trains few numbers: 8 bits save nothing")
    if isinstance(method, Prefix) and method.placement == "layers":
        for name in ("gguf", "merged"):
            if getattr(job.export, name):
                refuse(f"export.{name}", "must be false: no model file can contain keys and values of every layer")
