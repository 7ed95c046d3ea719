"""job.json, version 1: what there is to do, checked before anything slow is loaded."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from ..errors import TrainerError
from .fields import Range, Tagged, read, refuse

ROLES = ("system", "user", "assistant")
"""The roles that a linear template has turns for."""
PREPARED = ("base", "template", "chat_template", "templates", "data", "checks")
"""Fields that what is prepared depends on."""


@dataclass(frozen=True)
class Turn:
    open: str
    """Text before the content of a turn."""
    close: str
    """Text after it."""


@dataclass(frozen=True)
class Template:
    name: str
    """Name of the family, such as chatml."""
    detect: list[str]
    """Strings that all occur in the chat template of a base of this family."""
    prefix: str
    """Text before the first turn."""
    strip: bool
    """Whether white space at the ends of each content is dropped."""
    stop: list[str]
    """End tokens. The first is trained and stands at the start of what closes the assistant's turn."""
    turns: dict[str, Turn]
    """How each role's turn opens and closes."""


@dataclass(frozen=True)
class Data:
    train: str
    """Training examples, relative to the job folder."""
    eval: str | None
    """Held-out examples, or null."""


@dataclass(frozen=True)
class Checks:
    too_long: Literal["error", "warn", "off"]
    """Rows longer than train.max_length: stop, or cut them at the end and count them."""


@dataclass(frozen=True)
class Builtin:
    kind: Literal["builtin"]
    name: str
    package: str
    """Python package that carries the file."""
    file: str
    sha256: str


@dataclass(frozen=True)
class Gguf:
    kind: Literal["gguf"]
    path: str
    sha256: str


@dataclass(frozen=True)
class Folder:
    kind: Literal["folder"]
    path: str
    sha256: str


@dataclass(frozen=True)
class Hub:
    kind: Literal["hub"]
    id: str
    revision: str | None = None


@dataclass(frozen=True)
class Full:
    kind: Literal["full"]


@dataclass(frozen=True)
class LowRank:
    """What lora and qlora have in common."""

    rank: Annotated[int, Range(1, 1024)]
    """Rank of the update."""
    alpha: Annotated[float, Range(above=0)]
    """The update is scaled by alpha / rank."""
    dropout: Annotated[float, Range(0, 0.9)]
    """Share of the update's inputs left out at random while training."""
    target: list[str] | str
    """all-linear, attention, or names of linear layers."""
    rslora: bool
    """Scale by alpha / sqrt(rank) instead."""


@dataclass(frozen=True)
class Lora(LowRank):
    kind: Literal["lora"]


@dataclass(frozen=True)
class Qlora(LowRank):
    kind: Literal["qlora"]


@dataclass(frozen=True)
class Prefix:
    kind: Literal["prefix"]
    length: Annotated[int, Range(1, 512)]
    """Positions before every prompt."""
    placement: Literal["input", "layers"]
    """Learnable embeddings, or learnable keys and values of every layer."""
    init_text: str | None
    """Text the prefix starts as, repeated or cut to its length; null: tokens drawn at random."""


@dataclass(frozen=True)
class Adapter:
    kind: Literal["adapter"]
    size: Annotated[int, Range(32, 8192)]
    """Width of the bottleneck beside every MLP, a multiple of 32."""


@dataclass(frozen=True)
class Train:
    epochs: Annotated[float, Range(above=0)]
    """Passes over the data; may be a fraction."""
    learning_rate: Annotated[float, Range(above=0)]
    """Its peak."""
    batch_size: Annotated[int, Range(1)]
    """Rows per optimiser step."""
    micro_tokens: Annotated[int, Range(1)]
    """Most tokens computed at once, unless a single row is longer."""
    max_length: Annotated[int, Range(2)]
    """Longest row in tokens."""
    max_steps: Annotated[int | None, Range(1)]
    """Stop after this many optimiser steps, or null."""
    warmup_ratio: Annotated[float, Range(0, 1)]
    """Share of the steps in which the learning rate rises."""
    schedule: Literal["cosine", "linear", "constant"]
    """How the learning rate falls after the warm-up."""
    weight_decay: Annotated[float, Range(0, 1)]
    max_grad_norm: Annotated[float, Range(above=0)]
    """Gradients are scaled down to this norm."""
    seed: Annotated[int, Range(0, 2**31 - 1)]
    """Order of rows, dropout and initial weights."""
    checkpoint_seconds: Annotated[float, Range(above=0)]
    """Seconds between checkpoints."""
    device: Literal["auto", "cpu", "cuda", "mps"]
    dtype: Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class FewShot:
    instructions: str
    """System prompt for the base that explains the task."""
    examples: Annotated[int, Range(0)]
    """Training rows shown in the prompt."""


@dataclass(frozen=True)
class Evaluate:
    metric: Literal["exact_match", "contains", "regex", "json_equal", "tool_call", "none"]
    pattern: str | None
    """For metric regex."""
    before: bool
    """Score the base too."""
    max_new_tokens: Annotated[int, Range(1)]
    few_shot: FewShot | None
    """A second score of the base, with instructions and examples in the prompt, or null."""
    reasoning: Literal["exclude", "include"] = "exclude"
    """Whether the thinking before an answer is judged with it. Jobs of earlier versions do not say."""


@dataclass(frozen=True)
class Export:
    gguf: bool
    quantization: Literal["f32", "f16", "bf16", "q8_0", "q4_0"]
    """Type of the trained tensors in the GGUF file."""
    merged: bool
    """Also write a merged Hugging Face folder."""


@dataclass(frozen=True)
class Job:
    version: Literal[1]
    name: str
    base: Annotated[Any, Tagged({"builtin": Builtin, "gguf": Gguf, "folder": Folder, "hub": Hub})]
    template: str
    """Name of one of the templates, jinja, or auto: the base's own chat template where it has one."""
    templates: list[Template]
    data: Data
    checks: Checks
    method: Annotated[Any, Tagged({"full": Full, "lora": Lora, "qlora": Qlora, "prefix": Prefix, "adapter": Adapter})]
    train: Train
    evaluate: Evaluate
    export: Export
    chat_template: str | None = None
    """The text of the chat template for jinja, else null. Jobs of earlier versions do not say."""

    def prepared_from(self) -> str:
        """Digest of everything `prepare` depends on besides the bytes of the examples and the base."""
        parts = {key: asdict(self)[key] for key in PREPARED}
        rest = {"max_length": self.train.max_length, "ahead": self.ahead(), "added_tokens": self.added_tokens()}
        few_shot = self.evaluate.few_shot and [asdict(self.evaluate.few_shot), self.train.seed]
        return digest(parts | rest | {"few_shot": few_shot})

    def ahead(self) -> int:
        """Positions of the context that the trained part takes from every row."""
        return self.method.length if isinstance(self.method, Prefix) else 0

    def added_tokens(self) -> int:
        """Tokens that an exported model has behind the base's own."""
        return self.ahead() if self.export.gguf or self.export.merged else 0

    def wider(self) -> int:
        """How much wider the feed-forward part of an exported model is than the base's."""
        return self.method.size if isinstance(self.method, Adapter) else 0

    def trained_from(self) -> str:
        """Digest of everything the trained weights depend on besides the prepared bytes and the machine."""
        train = {k: v for k, v in asdict(self.train).items() if k not in ("checkpoint_seconds", "device", "dtype")}
        return digest({"base": asdict(self.base), "method": asdict(self.method), "train": train})


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_job(job_dir: Path) -> Job:
    """Reads and checks JOB_DIR/job.json."""
    path = job_dir / "job.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainerError("bad_job", f'Cannot read "{path}": there is no such file') from None
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError("bad_job", f'Cannot read "{path}": {error}') from None
    except json.JSONDecodeError as error:
        raise TrainerError("bad_job", f'Cannot read "{path}": not JSON at line {error.lineno}: {error.msg}') from None
    if isinstance(value, dict) and value.get("version") != 1:
        refuse("version", f"is {value.get('version')!r}; this trainer reads version 1")
    job = read(Job, value, "")
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
            refuse(f"{at}.turns", f"may only hold {', '.join(ROLES)}")
        if not template.stop:
            refuse(f"{at}.stop", "must list at least one end token")
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
    if isinstance(method, LowRank):
        check_target(method)
    if isinstance(method, Adapter) and method.size % 32:
        refuse("method.size", f"is {method.size} and must be a multiple of 32")
    if isinstance(method, Prefix) and method.placement == "layers":
        for name in ("gguf", "merged"):
            if getattr(job.export, name):
                refuse(f"export.{name}", "must be false: keys and values of every layer fit in no model file")


def check_target(method: LowRank) -> None:
    if isinstance(method.target, str) and method.target not in ("all-linear", "attention"):
        refuse("method.target", "must be all-linear, attention or a list of layer names")
    if method.target == []:
        refuse("method.target", "must not be an empty list")
