"""The tokenizer of a GGUF file as tokenizer.json and tokenizer_config.json."""

import json
from pathlib import Path
from typing import Any

from ..errors import TrainerError
from .pretokenizers import FAMILIES, build, family_named
from .reader import GgufFile

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = 1, 2, 3, 4, 5
SPECIAL = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}


def write_tokenizer(file: GgufFile, folder: Path) -> None:
    tokens = file.get("tokenizer.ggml.tokens")
    if not tokens:
        raise _unsupported(file, "it has no tokenizer")
    kind = file.get("tokenizer.ggml.model")
    if kind not in ("gpt2", "llama"):
        raise _unsupported(file, f'its tokenizer "{kind}" is neither byte-level BPE (gpt2) nor SentencePiece (llama)')
    core, add_bos = _byte_level(file, tokens) if kind == "gpt2" else _sentencepiece(file, tokens)
    _mark_special(core, file, tokens)
    special = _special_texts(file, tokens)
    if add_bos:
        _prepend_bos(core, special.get("bos_token"))
    core.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False} | special
    config |= {"model_max_length": file.get(f"{file.get('general.architecture')}.context_length")}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2), encoding="utf-8")
    template = file.get("tokenizer.chat_template")
    if isinstance(template, str):
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


def _byte_level(file: GgufFile, tokens: list[str]) -> tuple[Any, bool]:
    from tokenizers import Tokenizer, decoders, models

    name = file.get("tokenizer.ggml.pre", "default")
    family = family_named(name)
    if family is None:
        known = ", ".join(name for family in FAMILIES for name in family.names)
        raise _unsupported(file, f'its pre-tokenizer "{name}" is not one of {known}')
    merges = [tuple(merge.split(" ", 1)) for merge in file.get("tokenizer.ggml.merges", [])]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    try:
        core = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=family.ignore_merges))
    except Exception as error:  # the library raises bare Exception
        raise _unsupported(file, f"its merges do not fit its vocabulary ({error})") from error
    core.pre_tokenizer = build(family)
    core.decoder = decoders.ByteLevel()
    return core, file.get("tokenizer.ggml.add_bos_token", family.add_bos)


def _sentencepiece(file: GgufFile, tokens: list[str]) -> tuple[Any, bool]:
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers.tokenization_utils_base import generate_merges

    scores = file.get("tokenizer.ggml.scores", [])
    if len(scores) != len(tokens):
        raise _unsupported(file, f"its {len(tokens)} tokens have {len(scores)} scores")
    vocabulary = {token: index for index, token in enumerate(tokens)}
    merges = generate_merges(vocabulary, dict(zip(tokens, scores, strict=True)))
    unknown = tokens[file.get("tokenizer.ggml.unknown_token_id", 0)]
    core = Tokenizer(models.BPE(vocabulary, merges, unk_token=unknown, byte_fallback=True))
    # A normaliser works on each piece between special tokens, and llama.cpp puts the space before each of them too.
    prefix = file.get("tokenizer.ggml.add_space_prefix", True)
    steps = [normalizers.Prepend("▁")] if prefix else []
    core.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    strip = [decoders.Strip(" ", 1, 0)] if prefix else []
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    return core, file.get("tokenizer.ggml.add_bos_token", True)


def _mark_special(core: Any, file: GgufFile, tokens: list[str]) -> None:
    """Tokens that are found whole in any text."""
    from tokenizers import AddedToken

    types = file.get("tokenizer.ggml.token_type", [])
    marked = [(token, kind) for token, kind in zip(tokens, types, strict=False) if token]
    core.add_special_tokens([AddedToken(t, normalized=False) for t, kind in marked if kind in (UNKNOWN, CONTROL)])
    core.add_tokens([AddedToken(t, normalized=False) for t, kind in marked if kind == USER_DEFINED])


def _prepend_bos(core: Any, bos: str | None) -> None:
    from tokenizers.processors import TemplateProcessing

    if bos is not None:
        core.post_processor = TemplateProcessing(single=[bos, "$A"], special_tokens=[(bos, core.token_to_id(bos))])


def _special_texts(file: GgufFile, tokens: list[str]) -> dict[str, str]:
    texts = {}
    for name, key in SPECIAL.items():
        index = file.get(f"tokenizer.ggml.{key}_token_id")
        if index is not None and index < len(tokens):
            texts[name] = tokens[index]
    return texts


def _unsupported(file: GgufFile, reason: str) -> TrainerError:
    return TrainerError(
        "unsupported_base",
        f'Cannot use GGUF file "{file.path}": {reason}',
        "Pass the model's Hugging Face folder as base instead",
    )
