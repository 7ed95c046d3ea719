"""Which files of a Hugging Face folder hold its weights. The pipeline's `check` chooses in the same way."""

import json
from pathlib import Path

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


class UnusableWeightsError(Exception):
    """Why the weights of a folder cannot be read, and what to do."""

    def __init__(self, reason: str, hint: str = "Download the folder again, or save the model with save_pretrained"):
        super().__init__(reason)
        self.hint = hint


def weight_files(source: Path) -> list[str]:
    """model.safetensors, else the files that the index names: what transformers loads. Other files next to them are
    a second copy or a leftover."""
    if (source / SINGLE).is_file():
        return [SINGLE]
    if (source / INDEX).is_file():
        names = indexed_files(source)
        outside = [name for name in names if Path(name).name != name]
        missing = [name for name in names if not (source / name).is_file()]
        if outside or missing:
            raise UnusableWeightsError(f'{INDEX} names "{(outside or missing)[0]}", which is not in it')
        return names
    listed = sorted(path.name for path in source.iterdir())
    pickles = [name for name in listed if name.endswith(PICKLES)]
    other = next((name for name in listed if name.endswith(".safetensors")), None)
    if other:
        raise UnusableWeightsError(f'it has "{other}", but neither {SINGLE} nor {INDEX}')
    if pickles:
        reason = f'its weights are pickles ("{pickles[0]}"), which can run code when they are read'
        raise UnusableWeightsError(reason, "Save the model again with save_pretrained: that writes safetensors")
    raise UnusableWeightsError("it has no model.safetensors", "Pass a folder that save_pretrained wrote")


def indexed_files(source: Path) -> list[str]:
    """The names in the folder's index, sorted."""
    try:
        names = sorted(set(json.loads((source / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableWeightsError(f"{INDEX} cannot be read") from error
    if not names or not all(isinstance(name, str) for name in names):
        raise UnusableWeightsError(f"{INDEX} cannot be read")
    return names
