"""tokenizer.json as the tokenizer metadata of a GGUF file."""

import json
from pathlib import Path
from typing import Any

from ..errors import TrainerError
from .pretokenizers import Family, family_of
from .tokenizer import CONTROL, NORMAL, UNUSED, USER_DEFINED
from .values import Value, boolean, i32s, string, strings, u32

INSTEAD = "Set export.gguf to false and export.merged to true to keep a Hugging Face folder"
SPECIAL = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}


def tokenizer_metadata(folder: Path, rows: int) -> dict[str, Value]:
    """`rows` is the length of the embedding, which may be padded beyond the vocabulary."""
    parsed = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    family = _family(parsed)
    tokens, types = _tokens(parsed, rows)
    ids = {token: index for index, token in enumerate(tokens)}
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in parsed["model"]["merges"]]
    pairs = {
        "tokenizer.ggml.model": string("gpt2"),
        "tokenizer.ggml.pre": string(family.names[0]),
        "tokenizer.ggml.tokens": strings(tokens),
        "tokenizer.ggml.token_type": i32s(types),
        "tokenizer.ggml.merges": strings(merges),
    }
    for name, text in _special_texts(folder).items():
        if text in ids:
            pairs[f"tokenizer.ggml.{SPECIAL[name]}_token_id"] = u32(ids[text])
    bos, eos = _added(folder)
    if bos is not None:
        pairs["tokenizer.ggml.bos_token_id"] = u32(bos)
    return pairs | {
        "tokenizer.ggml.add_bos_token": boolean(bos is not None),
        "tokenizer.ggml.add_eos_token": boolean(eos),
        "tokenizer.ggml.add_space_prefix": boolean(False),
    }


def _family(parsed: dict[str, Any]) -> Family:
    model = parsed["model"]
    if model["type"] != "BPE" or model.get("byte_fallback"):
        kind = "SentencePiece BPE" if model["type"] == "BPE" else model["type"]
        raise _unsupported(f'its tokenizer is "{kind}", not byte-level BPE')
    normalizer = parsed.get("normalizer")
    if normalizer is not None and normalizer["type"] != "NFC":
        raise _unsupported(f'its tokenizer normalises text first ("{normalizer["type"]}")')
    family = family_of(parsed)
    if family is None:
        raise _unsupported(f"llama.cpp has no name for its pre-tokenizer: {_brief(parsed)}")
    return family


def _tokens(parsed: dict[str, Any], rows: int) -> tuple[list[str], list[int]]:
    tokens, types = [f"[PAD{index}]" for index in range(rows)], [UNUSED] * rows
    added = {item["content"]: item["id"] for item in parsed["added_tokens"]}
    beyond = [token for token, index in (parsed["model"]["vocab"] | added).items() if index >= rows]
    if beyond:
        raise _unsupported(f'its embedding has {rows} rows, too few for token "{beyond[0]}"')
    for token, index in parsed["model"]["vocab"].items():
        tokens[index], types[index] = token, NORMAL
    for item in parsed["added_tokens"]:
        tokens[item["id"]] = item["content"]
        types[item["id"]] = CONTROL if item["special"] else USER_DEFINED
    return tokens, types


def _special_texts(folder: Path) -> dict[str, str]:
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = {name: config.get(name) for name in SPECIAL}
    texts = {name: value["content"] if isinstance(value, dict) else value for name, value in found.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _added(folder: Path) -> tuple[int | None, bool]:
    """The token put before every text, if any, and whether one is put after it."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    plain, whole = tokenizer.encode("a", add_special_tokens=False).ids, tokenizer.encode("a").ids
    before = next((at for at in range(len(whole)) if whole[at : at + len(plain)] == plain), None)
    if before is None or before > 1:
        raise _unsupported("its tokenizer adds more than one token to every text")
    return (whole[0] if before else None), len(whole) > before + len(plain)


def _brief(parsed: dict[str, Any]) -> str:
    text = json.dumps(parsed.get("pre_tokenizer"), ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _unsupported(reason: str) -> TrainerError:
    return TrainerError("unsupported_export", f"Cannot write the base as GGUF: {reason}", INSTEAD)
