"""What leaves the trainer: one complete GGUF file and, on request, a merged Hugging Face folder."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .artifact import artifact
from .errors import TrainerError
from .events import Progress
from .files import read_json, sync_file, sync_folder
from .gguf.names import gguf_name, to_gguf_rows
from .gguf.quantize import BLOCK, REQUESTED, WHOLE

if TYPE_CHECKING:
    import torch

    from .base import Base
    from .gguf.values import Value
    from .job import Job

    Merged = Callable[[], Iterator[tuple[str, torch.Tensor]]]

TEMPLATE_KEYS = "tokenizer.chat_template"


def export_model(job: "Job", job_dir: Path, base: "Base", merged: "Merged", progress: Progress) -> list[dict[str, Any]]:
    """Writes what `job.export` asks for into artifacts/. `merged` starts a pass over the trained tensors, in fp32."""
    folder = job_dir / "artifacts"
    folder.mkdir(exist_ok=True)
    report = read_json(job_dir / "tokens.json") or {}
    template = report.get("template")
    written = []
    if job.export.gguf:
        path = folder / "model.gguf"
        _write_gguf(path, base, merged, job, template, progress)
        written.append(artifact("gguf", path))
    if (job_dir / "Modelfile").is_file():
        shutil.copyfile(job_dir / "Modelfile", folder / "Modelfile")
        written.append(artifact("modelfile", folder / "Modelfile"))
    if job.export.merged:
        from .merged_folder import write_merged

        write_merged(folder / "merged", base, merged, template, progress)
        written.append(artifact("merged", folder / "merged"))
    return written


def check_export(base: "Base", quantization: str) -> None:
    """Raises before training what would otherwise fail after it."""
    if base.source_gguf is None:
        from .gguf.from_hf import FolderParts, metadata, read_config

        config = read_config(base.dir)
        metadata(base.dir, config)
        FolderParts(base.dir, config)
    info = base.info
    rows = {"hidden": info["hidden"], "feed_forward": info["feed_forward"], "heads": info["heads"] * info["head_dim"]}
    if REQUESTED[quantization] in WHOLE:
        return
    for name, size in rows.items():
        if size % BLOCK:
            raise TrainerError(
                "unsupported_export",
                f'Cannot export as "{quantization}": rows of {size} values ({name}) are not made of blocks of {BLOCK}',
                "Set export.quantization to f16",
            )


def _write_gguf(
    target: Path, base: "Base", merged: "Merged", job: "Job", template: dict[str, Any] | None, progress: Progress
) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    tensors = _renamed(base, merged)
    if base.source_gguf is not None:
        from .gguf.reader import GgufFile
        from .gguf.splice import splice

        source = GgufFile(base.source_gguf)
        changes = _changes(job.name, template, list(source.kv))
        splice(source, temporary, tensors, job.export.quantization, changes, progress)
    else:
        from .gguf.from_hf import write_from_hf

        changes = _changes(job.name, template, [])
        write_from_hf(base.dir, temporary, tensors, job.export.quantization, changes, progress)
    sync_file(temporary)
    os.replace(temporary, target)
    sync_folder(target.parent)


def _renamed(base: "Base", merged: "Merged") -> Iterator[tuple[str, np.ndarray]]:
    config = {
        "model_type": base.info["arch"],
        "num_attention_heads": base.info["heads"],
        "num_key_value_heads": base.info["kv_heads"],
    }
    for hf, tensor in merged():
        name = gguf_name(hf)
        if name is None:
            raise TrainerError("bad_export", f'Cannot export tensor "{hf}": it has no name in GGUF')
        yield name, to_gguf_rows(name, tensor.detach().float().cpu().numpy(), config)


def _changes(name: str, template: dict[str, Any] | None, keys: list[str]) -> "dict[str, Value | None]":
    """Every chat template of the base goes: it would be served in place of the one that was trained."""
    from .gguf.jinja import chat_template
    from .gguf.values import string, u32

    changes: dict[str, Value | None] = {key: None for key in keys if key.startswith(TEMPLATE_KEYS)}
    if template is not None:
        changes[TEMPLATE_KEYS] = string(chat_template(template))
    return changes | {
        "general.name": string(name),
        "general.file_type": u32(0),
        "general.quantization_version": u32(2),
    }
