"""config.json as transformers understands it, or a sentence that says why it does not."""

from pathlib import Path
from typing import Any

from ..archs import architecture_of
from ..errors import TrainerError
from ..files import read_json


def load_config(folder: Path, name: str | None = None) -> Any:
    """The config with transformers' defaults filled in."""
    from transformers import CONFIG_MAPPING, AutoConfig

    try:
        own = read_json(folder / "config.json") or {}
        arch = architecture_of(own.get("model_type"))
        if arch and arch.loaded_as:
            return CONFIG_MAPPING[arch.loaded_as].from_dict(own | {"model_type": arch.loaded_as})
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # each class checks its own fields, with whatever exception it likes
        reason = " ".join(str(error).split()) or type(error).__name__
        message = f'Cannot use base "{name or folder}": transformers cannot use its config.json ({reason[:200]})'
        hint = "Compare config.json with the one the model was published with"
        raise TrainerError("unsupported_base", message, hint) from error
