"""How text is cut before byte-level BPE merges: the names GGUF files use and the parts of a tokenizer.json."""

from dataclasses import dataclass
from typing import Any

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + REST
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + REST
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
UNNAMED = (r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]")
"""What llama.cpp does with files that name no pre-tokenizer."""


@dataclass(frozen=True)
class Family:
    names: tuple[str, ...]
    """As in `tokenizer.ggml.pre`; the first one is written."""
    parts: tuple[tuple[str, str], ...]
    """Kind (split, digits or bytes) and its pattern or option."""
    ignore_merges: bool = False
    """Whether a whole word of the vocabulary is taken without merging."""
    add_bos: bool = False
    """What holds where the file does not say."""


FAMILIES = (
    Family(
        ("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"),
        (("split", LLAMA3), ("bytes", "plain")),
        ignore_merges=True,
        add_bos=True,
    ),
    Family(("smaug-bpe", "dbrx"), (("split", LLAMA3), ("bytes", "plain"))),
    Family(("qwen2", "deepseek-r1-qwen", "stablelm2", "megrez"), (("split", QWEN2), ("bytes", "plain"))),
    Family(("smollm", "starcoder", "refact", "command-r", "codeshell"), (("digits", "each"), ("bytes", "words"))),
    Family(("gpt-2", "mpt", "olmo", "phi-2", "jina-es", "jina-de"), (("bytes", "words"),)),
    Family(("default",), (*(("split", pattern) for pattern in UNNAMED), ("bytes", "plain"))),
)


def family_named(name: str) -> Family | None:
    return next((family for family in FAMILIES if name in family.names), None)


def family_of(tokenizer: dict[str, Any]) -> Family | None:
    """The family of a parsed tokenizer.json."""
    parts = _parts(tokenizer.get("pre_tokenizer"))
    ignore = bool(tokenizer["model"].get("ignore_merges"))
    return next((family for family in FAMILIES if family.parts == parts and family.ignore_merges == ignore), None)


def build(family: Family) -> Any:
    """The pre-tokenizer, as the tokenizers library has it."""
    from tokenizers import Regex
    from tokenizers import pre_tokenizers as pre

    made = {
        "split": lambda pattern: pre.Split(Regex(pattern), behavior="isolated"),
        "digits": lambda _: pre.Digits(individual_digits=True),
        "bytes": lambda option: pre.ByteLevel(add_prefix_space=False, use_regex=option == "words"),
    }
    return pre.Sequence([made[kind](option) for kind, option in family.parts])


def _parts(found: dict[str, Any] | None) -> tuple[tuple[str, str], ...] | None:
    """None for anything that is not made of the parts above."""
    if found is None:
        return None
    if found["type"] == "Sequence":
        nested = [_parts(part) for part in found["pretokenizers"]]
        return None if None in nested else tuple(part for parts in nested for part in parts or ())
    if found["type"] == "Split" and found["behavior"] == "Isolated" and not found["invert"]:
        pattern = found["pattern"].get("Regex")
        return None if pattern is None else (("split", pattern),)
    if found["type"] == "Digits" and found["individual_digits"]:
        return (("digits", "each"),)
    if found["type"] == "ByteLevel" and not found["add_prefix_space"]:
        return (("bytes", "words" if found.get("use_regex", True) else "plain"),)
    return None
