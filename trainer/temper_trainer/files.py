"""Writes that survive a kill and a power cut: temporary name, flush to disk, rename."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def write_atomic(path: Path, data: bytes) -> None:
    """`path` holds either what it held before or all of `data`."""
    temporary = path.with_name(f".{path.name}.tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    write_atomic(path, f"{text}\n".encode())


def read_json(path: Path) -> Any | None:
    """The file's value, or None where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system allows it: gigabytes are not copied."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """Digest of each file below `folder`, by its relative name, sorted by name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def folder_sha256(folder: Path) -> str:
    """One digest for a folder: over the lines `<sha256>  <name>`, sorted by name."""
    lines = (f"{digest}  {name}\n" for name, digest in sorted(folder_digests(folder).items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
