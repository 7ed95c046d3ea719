"""A Hugging Face folder, brought to one safetensors file and a tokenizer.json."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..archs import architecture_of
from ..errors import TrainerError
from ..files import link_or_copy
from ..job.events import Progress
from .complete import loaded_names
from .config import load_config
from .sentencepiece_model import MODEL, differing_text
from .tied import Head, Tensors, find_head
from .weight_files import UnusableWeightsError, weight_files
from .weights import FLOATS, Weights, WeightsWriter

COPIED = (
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
BUFFER = re.compile(r"(^|\.)(attn|attention)\.(bias|masked_bias)$|\.rotary_emb\.inv_freq$|(^|\.)position_ids$")
"""Masks and positions that old models were saved with. They are no weights."""
PHASE = "converting the base"


def convert_folder(source: Path, folder: Path, progress: Progress, name: str | None = None) -> None:
    """`name` is what messages call it: the path, or the id of a model on the hub."""
    base = name or str(source)
    config = _config(source, base)
    tensors = {name: shard for shard in _open_weights(source, base) for name in shard.entries}
    _check_types(base, tensors)
    loaded = load_config(source, base)
    head = find_head(loaded, tensors)
    _write_weights(tensors, _chosen(base, loaded, tensors, head), folder / "model.safetensors", progress)
    (folder / "config.json").write_text(json.dumps(_with_head(config, head), indent=2), encoding="utf-8")
    for name in COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    if not (folder / "tokenizer.json").exists():
        _convert_tokenizer(source, folder, base)


def _config(source: Path, base: str) -> dict[str, Any]:
    path = source / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _unusable(base, "it has no config.json", "Give the folder that contains config.json") from None
    except (OSError, ValueError) as error:
        raise _unusable(base, f"config.json cannot be read ({error})") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise _unusable(base, "config.json has no model_type")
    if quantization := config.get("quantization_config"):
        method = quantization.get("quant_method") if isinstance(quantization, dict) else None
        how = f" ({method})" if method else ""
        raise _unusable(base, f"its weights are quantised{how}", "Use the original model, or a GGUF file of it")
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    arch = architecture_of(config["model_type"])
    if arch and arch.loaded_as:
        return config | {"model_type": arch.loaded_as, "architectures": [arch.class_name]}
    if config["model_type"] not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        reason = f'transformers has no language model of type "{config["model_type"]}"'
        raise _unusable(base, reason, "Code shipped with a model is never run")
    return config


def _open_weights(source: Path, base: str) -> list[Weights]:
    try:
        return [Weights(source / name) for name in weight_files(source)]
    except UnusableWeightsError as error:
        raise _unusable(base, str(error), error.hint) from error


def _check_types(base: str, tensors: Tensors) -> None:
    for name, shard in tensors.items():
        if shard.entries[name].dtype not in FLOATS and not BUFFER.search(name):
            reason = f'its weights are quantised, tensor "{name}" has the type {shard.entries[name].dtype}'
            raise _unusable(base, reason, "Use the original model, with fp32, fp16 or bf16 weights")


def _chosen(base: str, config: Any, tensors: Tensors, head: Head) -> dict[str, str]:
    """What each tensor is called in the converted base. Those that transformers would leave out are not in it."""
    try:
        loaded = loaded_names(config, tensors, head)
    except ValueError as error:
        hint = "Compare its files and config.json with those of the original model"
        raise _unusable(base, str(error), hint) from error
    names = [name for name in tensors if name != head.dropped and (loaded is None or name in loaded)]
    return {name: name for name in names} | dict([head.renamed] if head.renamed else [])


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


def _convert_tokenizer(source: Path, folder: Path, base: str) -> None:
    """From vocab.json with merges.txt, or tokenizer.model."""
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    hint = "Save the model's fast tokenizer into it: that writes tokenizer.json"
    from_model = (source / MODEL).is_file()
    if not from_model and not (source / "vocab.json").is_file():
        raise _unusable(base, "it has no tokenizer.json", hint)
    try:
        AutoTokenizer.from_pretrained(source, trust_remote_code=False, local_files_only=True).save_pretrained(folder)
    except Exception as error:  # readers of these files raise whatever they like
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise _unusable(
            base, f"it has no tokenizer.json, and none can be built from its files ({reason})", hint
        ) from error
    if not (folder / "tokenizer.json").is_file():
        raise _unusable(base, "its tokenizer has no tokenizer.json", hint)
    if from_model:
        text = differing_text(Tokenizer.from_file(str(folder / "tokenizer.json")), source)
        if text is not None:
            quoted = json.dumps(text, ensure_ascii=False)
            raise _unusable(base, f"the tokenizer.json built from {MODEL} splits {quoted} differently from it", hint)


def _unusable(base: str, reason: str, hint: str | None = None) -> TrainerError:
    return TrainerError("unsupported_base", f'Cannot use base "{base}": {reason}', hint)
