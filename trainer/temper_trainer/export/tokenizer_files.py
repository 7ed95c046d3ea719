"""The tokenizer and the chat template that go with trained weights: who loads a folder prompts as in training."""

import json
import shutil
from pathlib import Path
from typing import Any

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
TEMPLATE = "chat_template.jinja"


def trained_template(job_dir: Path) -> str:
    """The chat template that `prepare` left: the one that was trained."""
    return (job_dir / "prepared" / TEMPLATE).read_bytes().decode()


def carry_tokenizer(base: Path, folder: Path, template: str) -> None:
    """Copies the base's tokenizer files into a folder of trained weights, with the template."""
    for name in TOKENIZER:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    set_template(folder, template)


def set_template(folder: Path, template: str) -> None:
    (folder / TEMPLATE).write_bytes(template.encode())
    path = folder / "tokenizer_config.json"
    if path.is_file():
        # Older folders keep the base's template here, where it would compete with ours.
        config = json.loads(path.read_text(encoding="utf-8"))
        config.pop("chat_template", None)
        write_text(path, config)


def write_text(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
