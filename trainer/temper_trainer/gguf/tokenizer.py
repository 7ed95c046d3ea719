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
    core, add_bos = _byte_level(file, tokens) if kind == "gpt2" else _sentencepiece(file)
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
    from tokenizers import AddedToken, Tokenizer, decoders, models

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
    types = file.get("tokenizer.ggml.token_type", [])
    marked = [(token, kind) for token, kind in zip(tokens, types, strict=False) if token]
    core.add_special_tokens([AddedToken(t, normalized=False) for t, kind in marked if kind in (UNKNOWN, CONTROL)])
    core.add_tokens([AddedToken(t, normalized=False) for t, kind in marked if kind == USER_DEFINED])
    return core, file.get("tokenizer.ggml.add_bos_token", family.add_bos)


def _sentencepiece(file: GgufFile) -> tuple[Any, bool]:
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(str(file.path.parent), gguf_file=file.path.name, trust_remote_code=False)
    core = loaded.backend_tokenizer
    # What the class of transformers adds of its own accord is not what the file asks for.
    core.post_processor = None
    return core, file.get("tokenizer.ggml.add_bos_token", True)


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
