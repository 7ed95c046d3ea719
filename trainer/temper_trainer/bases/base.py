"""The model a job starts from, converted once into the cache and fast to load ever after."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import TrainerError
from ..files import link_or_copy, read_json, sync_file, sync_folder, write_json
from ..job.events import Progress
from ..job.failures import explained
from .describe import describe
from .loaded import check_loaded
from .sources import find_source

CONVERTER = 2
"""Goes up when the same base is converted into other bytes: old entries are then made again."""
RECORD = "base.json"
SOURCE = "source.gguf"
HINT = "Compare its files with those of the original model. The whole error is in the log beside error.json"


@dataclass(frozen=True)
class Base:
    key: str
    dir: Path
    info: dict[str, Any]
    """The `base` of tokens.json."""

    @property
    def source_gguf(self) -> Path | None:
        """The file this base came as, whose untouched tensors are exported byte for byte."""
        path = self.dir / SOURCE
        return path if path.exists() else None

    def load_model(self, dtype: Any, device: Any) -> Any:
        """The language model in `dtype` (a torch dtype) on `device`, every weight of it from the file."""
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would fill the log with half lines
        model, found = AutoModelForCausalLM.from_pretrained(
            self.dir,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # to name them all
        )
        check_loaded(model, found, self.info["tied"])
        return model.to(device)

    def tokenizer(self) -> Any:
        """The tokenizer of tokenizer.json as it stands: transformers' own classes rebuild parts of it."""
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(self.dir, local_files_only=True)


def prepare_base(base: dict[str, Any], cache: Path, progress: Progress, others: Sequence[Path] = ()) -> Base:
    """The base of job.json, from a cache where it is there and whole, else converted into the first one."""
    source = None
    if base["kind"] == "hub":
        source = find_source(base)
        # A snapshot's folder is named after its commit, which a branch is not for long.
        key = base_key("hub", base["id"], source.name)
    else:
        key = base_key(base["kind"], base["sha256"])
    # Without the lock, which a cache that cannot be written has no place for.
    for place in (cache, *others):
        if found := open_base(key, place):
            return found
    folder = cache / "bases" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder, progress):
        found = open_base(key, cache)
        if found is None:
            _convert(base, source or find_source(base), folder, key, progress)
            found = open_base(key, cache)
    if found is None:
        raise TrainerError("damaged_base", f'Cannot use converted base "{folder}": it changed while it was written')
    return found


def base_key(*identity: str) -> str:
    parts = json.dumps([CONVERTER, *identity])
    return hashlib.sha256(parts.encode()).hexdigest()


def open_base(key: str, cache: Path) -> Base | None:
    """The converted base of a key; None where it is missing or not whole."""
    folder = cache / "bases" / key
    try:
        record = read_json(folder / RECORD)
        if not isinstance(record, dict) or record.get("files") != _stamps(folder):
            return None
    except (ValueError, FileNotFoundError):  # damaged, or another process is just replacing it
        return None
    return Base(key, folder, record["info"])


def _convert(base: dict[str, Any], source: Path, folder: Path, key: str, progress: Progress) -> None:
    from .from_folder import convert_folder
    from .from_gguf import convert_gguf

    for leftover in folder.parent.glob(f".{key}.*"):
        shutil.rmtree(leftover)
    temporary = folder.with_name(f".{key}.{os.getpid()}")
    temporary.mkdir()
    name = base.get("id") or str(source)
    try:
        with explained("unsupported_base", f'Cannot use base "{name}"', HINT):
            if source.is_dir():
                convert_folder(source, temporary, progress, name)
            else:
                link_or_copy(source, temporary / SOURCE)
                convert_gguf(temporary / SOURCE, temporary, progress, name)
            record = {"version": 1, "converter": CONVERTER, "info": {"key": key} | describe(temporary, name)}
        for path in temporary.iterdir():
            sync_file(path)
        write_json(temporary / RECORD, record | {"files": _stamps(temporary)})
        # Only an entry that open_base refused can be in the way.
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _stamps(folder: Path) -> dict[str, list[int]]:
    """Size and time of change of each file: a linked file may be written to where it came from."""
    stats = {path.name: path.stat() for path in folder.iterdir() if path.name != RECORD}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in sorted(stats.items())}


@contextmanager
def _lock(folder: Path, progress: Progress) -> Iterator[None]:
    """One process converts, the others wait for it."""
    handle = os.open(folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that converts the base")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
