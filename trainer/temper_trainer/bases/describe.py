"""The facts of a converted base that the rest of the pipeline needs, so that nothing has to be loaded for them."""

import json
from pathlib import Path
from typing import Any

from ..errors import TrainerError
from .config import load_config
from .context import context_of, values_of
from .weights import FLOATS, Weights, count_parameters


def describe(folder: Path, name: str | None = None) -> dict[str, Any]:
    """`name` is what messages call the base."""
    whole = load_config(folder, name)
    config = whole.get_text_config()
    entries = Weights(folder / "model.safetensors").entries.values()
    hidden, heads = config.hidden_size, _figure(config, "num_attention_heads")
    return {
        "arch": whole.model_type,
        "layers": config.num_hidden_layers,
        "hidden": hidden,
        "feed_forward": _figure(config, "intermediate_size"),
        "heads": heads,
        "kv_heads": _figure(config, "num_key_value_heads") or heads,
        "head_dim": _figure(config, "head_dim") or (hidden // heads if heads else None),
        "vocab": config.vocab_size,
        "context": context_of(config),
        "tied": bool(whole.tie_word_embeddings),
        "parameters": count_parameters(entry for entry in entries if entry.dtype in FLOATS),
        "bos": _bos(folder, name),
        "chat_template": _chat_template(folder, name),
    }


def _figure(config: Any, key: str) -> int | None:
    """The largest where layers differ; None where this architecture has no such figure."""
    found = [one for value in values_of(config, key) for one in (value if isinstance(value, list) else [value])]
    return max((one for one in found if isinstance(one, int) and one > 0), default=None)


def _bos(folder: Path, name: str | None) -> int | None:
    """The token the tokenizer puts before every prompt, if it does."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises bare Exception
        raise _unreadable(folder, name, "tokenizer.json", error) from error
    with_special, without = tokenizer.encode("a").ids, tokenizer.encode("a", add_special_tokens=False).ids
    added = with_special[: len(with_special) - len(without)]
    return added[0] if added and with_special[len(added) :] == without else None


def _chat_template(folder: Path, name: str | None) -> str | None:
    path = folder / "tokenizer_config.json"
    try:
        template = json.loads(path.read_text(encoding="utf-8")).get("chat_template") if path.exists() else None
    except (ValueError, AttributeError) as error:
        raise _unreadable(folder, name, path.name, error) from error
    own = folder / "chat_template.jinja"
    if own.exists():
        return own.read_text(encoding="utf-8")
    if isinstance(template, list):
        # Several by name: the one called default is used where none is asked for.
        template = next((item["template"] for item in template if item["name"] == "default"), None)
    return template


def _unreadable(folder: Path, name: str | None, file: str, error: Exception) -> TrainerError:
    message = f'Cannot use base "{name or folder}": its {file} cannot be read ({error})'
    return TrainerError("unsupported_base", message, "Download or copy the file again")
