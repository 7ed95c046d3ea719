"""The facts of a converted base that the rest of the pipeline needs, so that nothing has to be loaded for them."""

import json
from pathlib import Path
from typing import Any

from ..reach import context_of, values_of
from .weights import Weights, count_parameters


def describe(folder: Path) -> dict[str, Any]:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    entries = Weights(folder / "model.safetensors").entries
    tied = bool(config.tie_word_embeddings)
    counted = [entry for name, entry in entries.items() if not (tied and name == "lm_head.weight")]
    heads = getattr(config, "num_attention_heads", None) or 1  # a state-space model has none
    return {
        "arch": config.model_type,
        "layers": config.num_hidden_layers,
        "hidden": config.hidden_size,
        "feed_forward": getattr(config, "intermediate_size", None),
        "heads": heads,
        "kv_heads": max(values_of(config, "num_key_value_heads"), default=heads),
        "head_dim": max(values_of(config, "head_dim"), default=config.hidden_size // heads),
        "vocab": config.vocab_size,
        "context": context_of(config),
        "tied": tied,
        "parameters": count_parameters(counted),
        "bos": _bos(folder),
        "chat_template": _chat_template(folder),
    }


def _bos(folder: Path) -> int | None:
    """The token the tokenizer puts before every prompt, if it does."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with_special, without = tokenizer.encode("a").ids, tokenizer.encode("a", add_special_tokens=False).ids
    added = with_special[: len(with_special) - len(without)]
    return added[0] if added and with_special[len(added) :] == without else None


def _chat_template(folder: Path) -> str | None:
    path = folder / "chat_template.jinja"
    if path.exists():
        return path.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    template = json.loads(config.read_text(encoding="utf-8")).get("chat_template") if config.exists() else None
    if isinstance(template, list):
        # Several by name: the one called default is used where none is asked for.
        template = next((item["template"] for item in template if item["name"] == "default"), None)
    return template
