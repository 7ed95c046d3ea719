"""A Hugging Face folder, brought to one safetensors file and a tokenizer.json."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import TrainerError
from ..events import Progress
from .config import load_config
from .links import link_or_copy
from .tied import Head, Tensors, find_head
from .weights import FLOATS, Weights, WeightsWriter

COPIED = (
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
PHASE = "converting the base"


def convert_folder(source: Path, folder: Path, progress: Progress) -> None:
    config = _config(source)
    shards = [Weights(source / name) for name in _weight_files(source)]
    _check_dtypes(source, shards)
    tensors = {name: shard for shard in shards for name in shard.entries}
    head = find_head(load_config(source), tensors)
    chosen = {name: name for name in tensors if name != head.dropped} | dict([head.renamed] if head.renamed else [])
    _write_weights(tensors, chosen, folder / "model.safetensors", progress)
    (folder / "config.json").write_text(json.dumps(_with_head(config, head), indent=2), encoding="utf-8")
    for name in COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    if not (folder / "tokenizer.json").exists():
        _convert_tokenizer(source, folder)


def _config(source: Path) -> dict[str, Any]:
    path = source / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _unusable(source, "it has no config.json", "Pass the folder that holds config.json") from None
    except (OSError, ValueError) as error:
        raise _unusable(source, f"config.json cannot be read ({error})") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise _unusable(source, "config.json names no model_type")
    if config.get("quantization_config"):
        raise _unusable(source, "its weights are quantised", "Pass the original model, or a GGUF file of it")
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    if config["model_type"] not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        reason = f'transformers has no language model of type "{config["model_type"]}"'
        raise _unusable(source, reason, "Code that comes with a model is never run")
    return config


def _weight_files(source: Path) -> list[str]:
    index = source / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unusable(source, f"{index.name} cannot be read") from error
        outside = [name for name in names if Path(name).name != name]
        missing = [name for name in names if not (source / name).is_file()]
        if outside or missing:
            reason = f'{index.name} names "{(outside or missing)[0]}", which is not in it'
            raise _unusable(source, reason, "Download the folder again")
        return names
    if (source / "model.safetensors").is_file():
        return ["model.safetensors"]
    pickles = sorted(path.name for path in source.iterdir() if path.suffix in PICKLES)
    if pickles:
        reason = f'its weights are pickles ("{pickles[0]}"), which can run code when they are read'
        raise _unusable(source, reason, "Save the model again with save_pretrained: that writes safetensors")
    raise _unusable(source, "it has no model.safetensors", "Pass a folder that save_pretrained wrote")


def _check_dtypes(source: Path, shards: list[Weights]) -> None:
    for shard in shards:
        for name, entry in shard.entries.items():
            if entry.dtype not in FLOATS:
                reason = f'tensor "{name}" has the type {entry.dtype}'
                raise _unusable(source, reason, "Pass the original model, with fp32, fp16 or bf16 weights")


def _with_head(config: dict[str, Any], head: Head) -> dict[str, Any]:
    """The flag where transformers reads it: at the top, and with the text model of one that also sees."""
    flag = {"tie_word_embeddings": head.tied}
    text = config.get("text_config")
    return config | flag | ({"text_config": text | flag} if isinstance(text, dict) else {})


def _write_weights(tensors: Tensors, names: Mapping[str, str], target: Path, progress: Progress) -> None:
    """`names` says what each tensor is called in the converted base."""
    shards = set(tensors.values())
    if len(shards) == 1 and list(names) == list(names.values()) == list(tensors):
        link_or_copy(shards.pop().path, target)
        progress(PHASE, 1, 1)
        return
    entries = {new: tensors[name].entries[name] for name, new in names.items()}
    with WeightsWriter(target, entries) as out:
        for done, (name, new) in enumerate(names.items(), start=1):
            out.write(new, tensors[name].data(name))
            progress(PHASE, done, len(names))


def _convert_tokenizer(source: Path, folder: Path) -> None:
    """vocab.json with merges.txt, and SentencePiece where transformers can read it."""
    from transformers import AutoTokenizer

    try:
        AutoTokenizer.from_pretrained(source, trust_remote_code=False, local_files_only=True).save_pretrained(folder)
    except (OSError, ValueError, ImportError, TypeError) as error:
        raise _unusable(source, "it has no tokenizer.json", "Save the model's fast tokenizer into it") from error
    if not (folder / "tokenizer.json").is_file():
        raise _unusable(source, "its tokenizer has no tokenizer.json", "Save the model's fast tokenizer into it")


def _unusable(source: Path, reason: str, hint: str | None = None) -> TrainerError:
    return TrainerError("unsupported_base", f'Cannot use folder "{source}" as base: {reason}', hint)
