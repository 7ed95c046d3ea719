"""checkpoints/step-N: everything a training needs to resume exactly."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ..errors import FAILED, TrainerError
from ..files import file_sha256, sync_file, sync_folder, write_json
from ..job.events import Metrics

KEPT = 2
TENSORS = "state.safetensors"
NUMBERS = "state.json"
DIGESTS = "digests.json"


@dataclass(frozen=True)
class Checkpoint:
    step: int
    tensors: dict[str, torch.Tensor]
    numbers: dict[str, Any]


class Unusable(Exception):
    """A checkpoint that was read and must not be used. `name`: what its folder is called from then on."""

    def __init__(self, found: str, name: str = "damaged"):
        super().__init__(found)
        self.name = name


class Checkpoints:
    """
    The checkpoints of one job. `job` is a digest of what the weights depend on.

    Whatever cannot be used is kept: it may be all that is left of days of work. What cannot be read now may be read
    later, so it ends the attempt; what was read and found wrong gets another name, and an older one is used.
    """

    def __init__(self, folder: Path, job: str):
        self.folder = folder
        self.job = job
        folder.mkdir(exist_ok=True)

    def save(self, checkpoint: Checkpoint) -> None:
        """Appears whole or not at all; older ones than the newest two go. What `load` set aside is none of them."""
        target = self.folder / f"step-{checkpoint.step}"
        if target.exists():
            return
        temporary = self.folder / ".tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        save_file({name: tensor.cpu() for name, tensor in checkpoint.tensors.items()}, temporary / TENSORS)
        sync_file(temporary / TENSORS)
        write_json(temporary / NUMBERS, {"job": self.job, "step": checkpoint.step, **checkpoint.numbers})
        write_json(temporary / DIGESTS, {name: file_sha256(temporary / name) for name in (TENSORS, NUMBERS)})
        temporary.rename(target)
        sync_folder(self.folder)
        for path in self.newest_first()[KEPT:]:
            shutil.rmtree(path)

    def newest_first(self) -> list[Path]:
        # Not by glob, to which a folder that cannot be read is one without files
        found = [path for path in self.folder.iterdir() if re.fullmatch(r"step-[0-9]+", path.name)]
        return sorted(found, key=lambda path: int(path.name.removeprefix("step-")), reverse=True)

    def load(self, metrics: Metrics) -> Checkpoint | None:
        """The newest good one. Others on the way there are set aside, so that continued training can replace them."""
        try:
            found = self.newest_first()
        except OSError as error:
            raise unreadable(self.folder, error) from error
        for i, path in enumerate(found):
            try:
                return self.read(path)
            except Unusable as reason:
                aside = self.set_aside(path, reason.name)
                rest = f'going on from "{found[i + 1].name}"' if found[i + 1 :] else "training from the start"
                metrics.warn(f'Cannot use checkpoint "{path.name}": {reason}; it is kept as "{aside.name}", {rest}')
        return None

    def set_aside(self, path: Path, name: str) -> Path:
        """Nothing that was set aside before is written over."""
        target = self.folder / f"{path.name}.{name}"
        number = 1
        while target.exists():
            number += 1
            target = self.folder / f"{path.name}.{name}-{number}"
        path.rename(target)
        sync_folder(self.folder)
        return target

    def read(self, path: Path) -> Checkpoint:
        try:
            numbers = self.verified(path)
            return Checkpoint(numbers["step"], load_file(path / TENSORS), numbers)
        except (OSError, SafetensorError) as error:
            raise unreadable(path, error) from error

    def verified(self, path: Path) -> dict[str, Any]:
        """What state.json says, when every byte is as it was written, and for this job."""
        digests = read_object(path / DIGESTS)
        for name in (TENSORS, NUMBERS):
            try:
                found = file_sha256(path / name)
            except FileNotFoundError:
                raise Unusable(f"{name} is missing") from None
            if digests.get(name) != found:
                raise Unusable(f"{name} is damaged")
        numbers = read_object(path / NUMBERS)
        if numbers.get("job") != self.job:
            raise Unusable("it belongs to other settings or data", "other-job")
        return numbers


def unreadable(path: Path, error: Exception) -> TrainerError:
    message = f'Cannot read "{path}": {getattr(error, "strerror", None) or error}; it was left as it is'
    hint = "Start again when it can be read, or move it elsewhere to continue from an older one"
    return TrainerError("checkpoint_unreadable", message, hint, FAILED)


def read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise Unusable(f"{path.name} is missing") from None
    except ValueError:
        raise Unusable(f"{path.name} is damaged") from None
    if not isinstance(value, dict):
        raise Unusable(f"{path.name} is damaged")
    return value
