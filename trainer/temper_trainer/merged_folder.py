"""The trained model as a Hugging Face folder, in the base's own dtype."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bases.from_folder import COPIED
from .bases.weights import Weights, WeightsWriter
from .errors import FAILED, TrainerError
from .events import Progress
from .files import sync_file, sync_folder
from .gguf.jinja import chat_template

if TYPE_CHECKING:
    import torch

    from .base import Base

PHASE = "writing merged/"


def write_merged(
    target: Path,
    base: "Base",
    merged: "Callable[[], Iterator[tuple[str, torch.Tensor]]]",
    template: dict[str, Any] | None,
    progress: Progress,
) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    source = Weights(base.dir / "model.safetensors")
    rest = dict.fromkeys(source.entries)
    with WeightsWriter(temporary / "model.safetensors", source.entries) as out:
        for name, tensor in merged():
            if name not in rest or tuple(tensor.shape) != source.entries[name].shape:
                raise TrainerError("bad_export", f'Cannot merge tensor "{name}" into the base', exit_code=FAILED)
            out.write(name, tensor.detach().float().cpu().numpy())
            del rest[name]
            progress(PHASE, len(source.entries) - len(rest), len(source.entries))
        for name in rest:
            out.write(name, source.data(name))
        progress(PHASE, len(source.entries), len(source.entries))
    for name in ("config.json", *COPIED):
        if (base.dir / name).is_file():
            shutil.copyfile(base.dir / name, temporary / name)
    if template is not None:
        _set_template(temporary, chat_template(template))
    for path in temporary.iterdir():
        sync_file(path)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(temporary, target)
    sync_folder(target.parent)


def _set_template(folder: Path, template: str) -> None:
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    path = folder / "tokenizer_config.json"
    if path.is_file():
        # Older folders keep the base's template here, where it would compete with ours.
        config = json.loads(path.read_text(encoding="utf-8"))
        config.pop("chat_template", None)
        path.write_text(json.dumps(config, ensure_ascii=False, indent=2), encoding="utf-8")
