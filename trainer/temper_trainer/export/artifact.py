"""What result.json says of a file or folder that was written."""

from pathlib import Path
from typing import Any

from ..files import file_sha256, folder_sha256


def artifact(kind: str, path: Path) -> dict[str, Any]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {
        "kind": kind,
        "path": f"artifacts/{path.name}",
        "bytes": sum(file.stat().st_size for file in files),
        "sha256": file_sha256(path) if path.is_file() else folder_sha256(path),
    }
