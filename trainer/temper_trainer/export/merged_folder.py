"""The trained model as a Hugging Face folder, in the base's own dtype."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..bases.from_folder import COPIED
from ..bases.weights import Weights, WeightsWriter, encode
from ..errors import FAILED, TrainerError
from ..files import sync_file, sync_folder
from ..job.events import Progress
from .export_check import check_tensors_of_folder
from .merge import Merge
from .tokenizer_files import set_template, write_text

if TYPE_CHECKING:
    from ..bases.base import Base

PHASE = "writing merged/"


def write_merged(
    target: Path,
    base: "Base",
    merge: Merge,
    template: str | None,
    progress: Progress,
) -> int:
    """Returns how many tensors it has."""
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    _write_weights(temporary / "model.safetensors", base, merge, progress)
    for name in ("config.json", *COPIED):
        if (base.dir / name).is_file():
            shutil.copyfile(base.dir / name, temporary / name)
    if merge.config:
        write_text(temporary / "config.json", json.loads((base.dir / "config.json").read_text("utf-8")) | merge.config)
    if merge.added_tokens:
        add_tokens(temporary / "tokenizer.json", merge.added_tokens.tokens, base.info["vocab"])
    if template is not None:
        set_template(temporary, template)
    tensors = check_tensors_of_folder(temporary, base, merge)
    for path in temporary.iterdir():
        sync_file(path)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(temporary, target)
    sync_folder(target.parent)
    return tensors


def _write_weights(target: Path, base: "Base", merge: Merge, progress: Progress) -> None:
    source = Weights(base.dir / "model.safetensors")
    grown = merge.added_tokens.rows(base.info["tied"]) if merge.added_tokens else {}
    entries = dict(source.entries)
    for name, shape in merge.shapes.items():
        if name in entries:
            entries[name] = replace(entries[name], shape=shape)
    for name, (first, rows) in grown.items():
        height, width = source.entries[first].shape
        entries[name] = replace(source.entries[first], shape=(height + len(rows), width))
    rest = dict.fromkeys(entries)
    with WeightsWriter(target, entries) as out:
        for name, tensor in merge.tensors():
            if name not in rest or tuple(tensor.shape) != entries[name].shape:
                raise TrainerError("bad_export", f'Cannot merge tensor "{name}" into the base', exit_code=FAILED)
            out.write(name, tensor.detach().float().cpu().numpy())
            del rest[name]
            progress(PHASE, len(entries) - len(rest), len(entries))
        for name in rest:
            first, rows = grown.get(name, (name, None))
            more = [] if rows is None else [encode(rows, entries[name].dtype)]
            out.write(name, np.concatenate([source.data(first), *more]) if more else source.data(name))
        progress(PHASE, len(entries), len(entries))


def add_tokens(path: Path, tokens: Sequence[str], first: int) -> None:
    """Numbers them from `first`, which may lie beyond the tokenizer's last token. The chat template begins with them,
    and then says BOS itself: the tokenizer must no longer put it before them."""
    parsed = json.loads(path.read_text(encoding="utf-8"))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    for index, token in enumerate(tokens, first):
        parsed["model"]["vocab"][token] = index
        parsed["added_tokens"].append({"id": index, "content": token, **flags})
    processor = parsed.get("post_processor") or {}
    steps = processor.get("processors", [processor])
    kept = [step for step in steps if step and step["type"] != "TemplateProcessing"]
    parsed["post_processor"] = {"type": "Sequence", "processors": kept} if kept else None
    path.write_text(json.dumps(parsed, ensure_ascii=False), encoding="utf-8")
