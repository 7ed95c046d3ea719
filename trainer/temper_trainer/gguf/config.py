"""The shape of a model: GGUF metadata to a Hugging Face config and back."""

from typing import Any

from ..archs import architecture_of, architecture_of_gguf, readable_names
from ..archs.architecture import GGUF_EMBEDDING, GGUF_HEAD, ROPE_FACTORS, Architecture
from ..errors import TrainerError
from .reader import GgufFile
from .rope import read_rope, rope_metadata, shortest
from .values import Value, f32, string, u32


def hf_config(file: GgufFile) -> dict[str, Any]:
    """The config.json of a GGUF file. Refuses what would make a different model of it."""
    known = _architecture(file)
    arch = known.gguf
    heads = _count(file, f"{arch}.attention.head_count")
    hidden = _count(file, f"{arch}.embedding_length")
    head_dim = _head_dim(file, arch, hidden // heads)
    embedding = file.tensors.get(GGUF_EMBEDDING)
    config = {
        "architectures": [known.class_name],
        "model_type": known.model_type,
        "hidden_size": hidden,
        "intermediate_size": _count(file, f"{arch}.feed_forward_length"),
        "num_hidden_layers": _count(file, f"{arch}.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": _count(file, f"{arch}.attention.head_count_kv", heads),
        "head_dim": head_dim,
        "hidden_act": "silu",
        "rms_norm_eps": shortest(_known(file, f"{arch}.attention.layer_norm_rms_epsilon")),
        "max_position_embeddings": _count(file, f"{arch}.context_length"),
        "rope_parameters": read_rope(file, arch, head_dim),
        "vocab_size": embedding.shape[0] if embedding else 0,
        "tie_word_embeddings": GGUF_HEAD not in file.tensors,
        "use_cache": True,
        "bos_token_id": file.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": file.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": file.get("tokenizer.ggml.padding_token_id"),
    }
    config |= known.bias_flags(file.tensors)
    _check_tensors(file, known, config)
    return config


def gguf_metadata(config: dict[str, Any], name: str) -> dict[str, Value]:
    """The metadata of a complete GGUF file, but for the tokenizer and the types of the tensors."""
    arch, head_dim = architecture_of(config["model_type"]).gguf, config["head_dim"]
    return {
        "general.architecture": string(arch),
        "general.type": string("model"),
        "general.name": string(name),
        f"{arch}.block_count": u32(config["num_hidden_layers"]),
        f"{arch}.context_length": u32(config["max_position_embeddings"]),
        f"{arch}.embedding_length": u32(config["hidden_size"]),
        f"{arch}.feed_forward_length": u32(config["intermediate_size"]),
        f"{arch}.attention.head_count": u32(config["num_attention_heads"]),
        f"{arch}.attention.head_count_kv": u32(config["num_key_value_heads"]),
        f"{arch}.attention.layer_norm_rms_epsilon": f32(config["rms_norm_eps"]),
        f"{arch}.attention.key_length": u32(head_dim),
        f"{arch}.attention.value_length": u32(head_dim),
        f"{arch}.rope.dimension_count": u32(head_dim),
        f"{arch}.vocab_size": u32(config["vocab_size"]),
        **rope_metadata(arch, config["rope_parameters"]),
    }


def _architecture(file: GgufFile) -> Architecture:
    name = file.get("general.architecture")
    arch = architecture_of_gguf(name)
    if arch is None:
        raise _unsupported(file, f'its architecture "{name}" is not one of {readable_names()}')
    if file.get("split.count", 0) > 1:
        raise _unsupported(file, "it is one part of a split model", "Join the parts with llama-gguf-split --merge")
    if file.get("general.type", "model") != "model":
        raise _unsupported(file, f'its general.type is "{file.get("general.type")}", not "model"')
    for key, neutral in arch.neutral_metadata.items():
        value = file.get(f"{name}.{key}", neutral[0])
        if value not in neutral:
            raise _unsupported(file, f'its metadata "{name}.{key}" is {value}, which training does not support')
    return arch


def _head_dim(file: GgufFile, arch: str, default: int) -> int:
    size = _count(file, f"{arch}.attention.key_length", default)
    for key in ("attention.value_length", "rope.dimension_count"):
        other = _count(file, f"{arch}.{key}", size)
        if other != size:
            raise _unsupported(file, f'its heads have {size} values, but "{arch}.{key}" is {other}')
    return size


def _check_tensors(file: GgufFile, arch: Architecture, config: dict[str, Any]) -> None:
    wanted = set(arch.tensors(config))
    found = file.tensors.keys() - {ROPE_FACTORS}
    if missing := sorted(wanted - found):
        raise _unsupported(file, f'tensor "{missing[0]}" is missing ({len(missing)} in all)')
    if extra := sorted(found - wanted):
        raise _unsupported(file, f'tensor "{extra[0]}" is unknown for {arch.gguf} ({len(extra)} in all)')


def _count(file: GgufFile, key: str, default: int | None = None) -> int:
    value = _known(file, key, default)
    if isinstance(value, list):
        if len(set(value)) != 1:
            raise _unsupported(file, f'"{key}" differs between layers')
        value = value[0]
    if not isinstance(value, int) or value <= 0:
        raise _unsupported(file, f'"{key}" is {value}')
    return value


def _known(file: GgufFile, key: str, default: Any = None) -> Any:
    value = file.get(key, default)
    if value is None:
        raise _unsupported(file, f'metadata "{key}" is missing')
    return value


def _unsupported(file: GgufFile, reason: str, hint: str | None = None) -> TrainerError:
    return TrainerError("unsupported_base", f'Cannot use GGUF file "{file.path}": {reason}', hint)
