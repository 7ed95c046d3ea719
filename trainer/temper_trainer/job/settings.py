"""What job.json says, piece by piece. The fields, bounds and docstrings here are those of trainer/job.schema.json."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from ..eval.metrics import metric_names

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


@dataclass(frozen=True, config=STRICT)
class Turn:
    open: str
    """Text before the content of a turn."""
    close: str
    """Text after it."""


@dataclass(frozen=True, config=STRICT)
class Template:
    name: str
    """Name of the family, such as chatml."""
    detect: list[str]
    """Strings that all occur in the chat template of a base of this family."""
    prefix: str
    """Text before the first turn."""
    strip: bool
    """Whether white space at the ends of each content is dropped."""
    stop: Annotated[list[str], Field(min_length=1)]
    """End tokens. The first is trained and stands at the start of what closes the assistant's turn."""
    turns: dict[str, Turn]
    """How each role's turn opens and closes."""


@dataclass(frozen=True, config=STRICT)
class Data:
    train: str
    """Training examples, relative to the job folder."""
    eval: str | None
    """Held-out examples, or null."""


@dataclass(frozen=True, config=STRICT)
class Checks:
    too_long: Literal["error", "warn", "drop", "off"]
    """Rows longer than train.max_length: stop, leave them out and count them, or cut them at the end and count them."""


@dataclass(frozen=True, config=STRICT)
class Builtin:
    kind: Literal["builtin"]
    name: str
    """Its name, such as smollm2-135m-instruct."""
    package: str
    """Python package that carries the file."""
    file: str
    """The GGUF file in that package."""
    sha256: str
    """Digest of the file."""


@dataclass(frozen=True, config=STRICT)
class Gguf:
    kind: Literal["gguf"]
    path: str
    """Where the file is, absolute."""
    sha256: str
    """Digest of the file."""


@dataclass(frozen=True, config=STRICT)
class Folder:
    kind: Literal["folder"]
    path: str
    """Where the Hugging Face folder is, absolute."""
    sha256: str
    """Digest over the sorted list of file names and digests."""


@dataclass(frozen=True, config=STRICT)
class Hub:
    kind: Literal["hub"]
    id: str
    """Its name on the Hugging Face hub, as owner/name."""
    revision: str | None = None
    """A branch, a tag or a commit; main where it is null."""


@dataclass(frozen=True, config=STRICT)
class Full:
    kind: Literal["full"]


@dataclass(frozen=True, config=STRICT)
class LowRank:
    """What lora and qlora have in common. Of inherited fields pydantic does not see docstrings."""

    rank: Annotated[int, Field(ge=1, le=1024, description="Rank of the update.")]
    alpha: Annotated[float, Field(gt=0, description="The update is scaled by alpha / rank.")]
    dropout: Annotated[
        float, Field(ge=0, le=0.9, description="Share of the update's inputs left out at random while training.")
    ]
    target: Annotated[
        Literal["all-linear", "attention"] | Annotated[list[str], Field(min_length=1)],
        Field(description="all-linear, attention, or names of linear layers."),
    ]
    rslora: Annotated[bool, Field(description="Scale by alpha / sqrt(rank) instead.")]


@dataclass(frozen=True, config=STRICT)
class Lora(LowRank):
    kind: Literal["lora"]


@dataclass(frozen=True, config=STRICT)
class Qlora(LowRank):
    kind: Literal["qlora"]


@dataclass(frozen=True, config=STRICT)
class Prefix:
    kind: Literal["prefix"]
    length: Annotated[int, Field(ge=1, le=512)]
    """Positions before every prompt."""
    placement: Literal["input", "layers"]
    """Learnable embeddings, or learnable keys and values of every layer."""
    init_text: str | None
    """Text the prefix starts as, repeated or cut to its length; null: tokens drawn at random."""


@dataclass(frozen=True, config=STRICT)
class Adapter:
    kind: Literal["adapter"]
    size: Annotated[int, Field(ge=32, le=8192, multiple_of=32)]
    """Width of the bottleneck beside every MLP, a multiple of 32."""


@dataclass(frozen=True, config=STRICT)
class Train:
    epochs: Annotated[float, Field(gt=0)]
    """Passes over the data; may be a fraction."""
    learning_rate: Annotated[float, Field(gt=0)]
    """Its peak."""
    batch_size: Annotated[int, Field(ge=1)]
    """Rows per optimiser step."""
    micro_tokens: Annotated[int, Field(ge=1)]
    """Most tokens computed at once, unless a single row is longer."""
    max_length: Annotated[int, Field(ge=2)]
    """Longest row in tokens."""
    max_steps: Annotated[int | None, Field(ge=1)]
    """Stop after this many optimiser steps, or null."""
    warmup_ratio: Annotated[float, Field(ge=0, le=1)]
    """Share of the steps in which the learning rate rises."""
    schedule: Literal["cosine", "linear", "constant"]
    """How the learning rate falls after the warm-up."""
    weight_decay: Annotated[float, Field(ge=0, le=1)]
    """Share of each weight, times the learning rate, that is taken away at every step."""
    max_grad_norm: Annotated[float, Field(gt=0)]
    """Gradients are scaled down to this norm."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]
    """Order of rows, dropout and initial weights."""
    checkpoint_seconds: Annotated[float, Field(gt=0)]
    """Seconds between checkpoints."""
    device: Literal["auto", "cpu", "cuda", "mps"]
    """Where to compute; auto: the GPU where there is one."""
    dtype: Literal["auto", "fp32", "bf16", "fp16"]
    """Type of the frozen weights and of what is computed; auto: bf16 where the device computes it fast, fp16 on CUDA
    devices without it, else fp32. fp16 scales the loss."""
    compile: Literal["auto"] | bool = "auto"
    """Whether element-wise parts of decoder layers are compiled on CUDA; auto: where it saves more than it takes.
    Jobs of earlier versions do not say."""
    parallel: Literal["auto", "ddp", "fsdp"] = "auto"
    """Of several workers. ddp: each holds the whole model; fsdp: each holds a part of every layer; auto: ddp where one
    device has room for the model. Jobs of earlier versions do not say."""
    checkpointing: Literal["auto"] | bool = "auto"
    """Whether decoder layers are computed again on the way back instead of being kept; auto: where they would not fit.
    Jobs of earlier versions do not say."""
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    """adamw_8bit: its moments in 8 bits, for method full. Jobs of earlier versions do not say."""
    deterministic: bool = True
    """Whether only operations are used that give the same bits each time. Jobs of earlier versions do not say."""


@dataclass(frozen=True, config=STRICT)
class FewShot:
    instructions: str
    """System prompt for the base that explains the task."""
    examples: Annotated[int, Field(ge=0)]
    """Training rows shown in the prompt."""


@dataclass(frozen=True, config=STRICT)
class Evaluate:
    metric: Literal[metric_names()]
    """What counts as a right answer: a file in eval/metrics/, or none."""
    pattern: str | None
    """For metric regex."""
    before: bool
    """Score the base too."""
    max_new_tokens: Annotated[int, Field(ge=1)]
    """Longest answer, in tokens."""
    few_shot: FewShot | None
    """A second score of the base, with instructions and examples in the prompt, or null."""
    reasoning: Literal["exclude", "include"] = "exclude"
    """Whether the thinking before an answer is judged with it. Jobs of earlier versions do not say."""


@dataclass(frozen=True, config=STRICT)
class Export:
    gguf: bool
    """Write one complete GGUF file."""
    quantization: Literal["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"]
    """Type of the trained tensors in the GGUF file."""
    merged: bool
    """Also write a merged Hugging Face folder."""


Base = Annotated[Builtin | Gguf | Folder | Hub, Field(discriminator="kind")]
Method = Annotated[Full | Lora | Qlora | Prefix | Adapter, Field(discriminator="kind")]
