"""What leaves the trainer: one complete GGUF file and, on request, a merged Hugging Face folder."""

import os
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..archs import architecture_of
from ..data.added_tokens import soft_names, template_of_file
from ..errors import FAILED, TrainerError
from ..files import read_json, sync_file, sync_folder
from ..gguf.jinja import MARK, chat_template
from ..gguf.quantize import BLOCK
from ..gguf.vocabulary import INSTEAD
from ..job.events import Progress
from ..job.failures import explained
from .artifact import artifact
from .export_check import HINT, check_tensors_of_file
from .merge import Merge
from .merge_check import NO_MERGE, check_merge_names
from .tokenizer_files import trained_template

if TYPE_CHECKING:
    from ..bases.base import Base
    from ..gguf.changes import Changes
    from ..gguf.values import Value
    from ..job.job import Job
    from .merge import Tensors

Judge = Callable[[Path], dict[str, Any]]
TEMPLATE_KEYS = "tokenizer.chat_template"
METHOD_KEY = "temper.method"
"""How the file was trained. A server shows it, so that what temper made can be told from what it did not."""


@dataclass(frozen=True)
class Exported:
    artifacts: list[dict[str, Any]]
    check: dict[str, Any]
    """How it was compared with the base and the trained model, for result.json."""


def export_model(
    job: "Job", job_dir: Path, base: "Base", merge: Merge, progress: Progress, judge: Judge | None = None
) -> Exported:
    """Writes what `job.export` asks for into artifacts/, and looks at it before it gets its name there. `judge`
    compares the GGUF file with the trained model."""
    folder = job_dir / "artifacts"
    folder.mkdir(exist_ok=True)
    report = read_json(job_dir / "tokens.json") or {}
    template, mark = report.get("template"), ""
    if template is not None and template.get("kind") == "jinja":
        template, mark = trained_template(job_dir), MARK
    elif template is not None:
        names = merge.added_tokens.tokens if merge.added_tokens else []
        template = chat_template(template_of_file(names, template, bos_text(base)))
    written, check = [], {}
    if job.export.gguf:
        path = folder / "model.gguf"
        marked = template and mark + template
        with explained("bad_export", "Cannot write model.gguf", HINT, FAILED):
            check["gguf"] = _write_gguf(path, base, merge, job, marked, progress, judge)
        written.append(artifact("gguf", path))
    if (job_dir / "Modelfile").is_file():
        shutil.copyfile(job_dir / "Modelfile", folder / "Modelfile")
        written.append(artifact("modelfile", folder / "Modelfile"))
    if job.export.merged:
        from .merged_folder import write_merged

        with explained("bad_export", "Cannot write merged/", HINT, FAILED):
            check["merged"] = {"tensors": write_merged(folder / "merged", base, merge, template, progress)}
        written.append(artifact("merged", folder / "merged"))
    return Exported(written, check)


def check_exports(job: "Job", base: "Base") -> None:
    """Raises before training what would otherwise fail after it."""
    if job.export.gguf:
        with explained("unsupported_export", "Cannot write the base as GGUF", INSTEAD):
            check_gguf(base, job.export.quantization, job.added_width())
    if job.export.merged:
        with explained("unsupported_export", "Cannot write merged/", NO_MERGE):
            check_merge_names(base, job.method.kind)
    check_tokens(base, soft_names(job))


def check_gguf(base: "Base", quantization: str, added_width: int = 0) -> None:
    """`added_width`: what the method adds to the width of the feed-forward part."""
    if base.source_gguf is None:
        from ..gguf.from_hf import FolderParts, metadata, read_config

        config = read_config(base.dir)
        metadata(base.dir, config)
        FolderParts(base.dir, config)
    info = base.info
    feed_forward = info["feed_forward"] + added_width
    rows = {"hidden": info["hidden"], "feed_forward": feed_forward, "heads": info["heads"] * info["head_dim"]}
    if quantization not in ("q8_0", "q4_0"):
        return
    for name, size in rows.items():
        if size % BLOCK:
            raise TrainerError(
                "unsupported_export",
                f'Cannot export as "{quantization}": rows of {size} values ({name}) are not made of blocks of {BLOCK}',
                "Set export.quantization to f16",
            )


def check_tokens(base: "Base", tokens: Collection[str]) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base.dir / "tokenizer.json"))
    taken = next((token for token in tokens if tokenizer.token_to_id(token) is not None), None)
    if taken is not None:
        message = f'Cannot add soft tokens to the base: its vocabulary has "{taken}" already'
        raise TrainerError("unsupported_export", message, "Use the model this base was made from")


def bos_text(base: "Base") -> str | None:
    """The text of the token that the base's tokenizer puts before every prompt, if it does."""
    if base.info["bos"] is None:
        return None
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(base.dir / "tokenizer.json")).id_to_token(base.info["bos"])


def _write_gguf(
    target: Path,
    base: "Base",
    merge: Merge,
    job: "Job",
    template: str | None,
    progress: Progress,
    judge: Judge | None,
) -> dict[str, Any]:
    temporary = target.with_name(f".{target.name}.tmp")
    tensors = _renamed(base, merge.tensors)
    if base.source_gguf is not None:
        from ..gguf.reader import GgufFile
        from ..gguf.splice import splice

        source = GgufFile(base.source_gguf)
        changes = _changes(job, base, template, merge, list(source.kv))
        splice(source, temporary, tensors, job.export.quantization, changes, progress)
    else:
        from ..gguf.from_hf import write_from_hf

        changes = _changes(job, base, template, merge, [])
        write_from_hf(base.dir, temporary, tensors, job.export.quantization, changes, progress)
    check = {"tensors": check_tensors_of_file(temporary, base, merge)}
    if judge is not None:
        check["logits"] = judge(temporary)
    sync_file(temporary)
    os.replace(temporary, target)
    sync_folder(target.parent)
    return check


def _renamed(base: "Base", tensors: "Tensors") -> Iterator[tuple[str, np.ndarray]]:
    arch = architecture_of(base.info["arch"])
    heads = {"num_attention_heads": base.info["heads"], "num_key_value_heads": base.info["kv_heads"]}
    for hf, tensor in tensors():
        name = arch.gguf_name(hf)
        if name is None:
            raise TrainerError("bad_export", f'Cannot export tensor "{hf}": GGUF has no name for it')
        yield name, arch.to_gguf_rows(name, tensor.detach().float().cpu().numpy(), heads)


def _changes(job: "Job", base: "Base", template: str | None, merge: Merge, keys: list[str]) -> "Changes":
    """Every chat template of the base goes: it would be served in place of the one that was trained."""
    from ..gguf.changes import Changes
    from ..gguf.values import string, u32

    metadata: dict[str, Value | None] = {key: None for key in keys if key.startswith(TEMPLATE_KEYS)}
    if template is not None:
        metadata[TEMPLATE_KEYS] = string(template)
    metadata |= {
        "general.name": string(job.name),
        METHOD_KEY: string(job.method.kind),
        "general.quantization_version": u32(2),
    }
    arch = architecture_of(base.info["arch"])
    shapes = {arch.gguf_name(hf) or hf: shape for hf, shape in merge.shapes.items()}
    return Changes(metadata, shapes, merge.config, merge.added_tokens)
