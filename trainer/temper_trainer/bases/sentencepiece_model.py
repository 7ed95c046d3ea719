"""tokenizer.model alone: made into a tokenizer.json by transformers, and compared with SentencePiece itself."""

from pathlib import Path
from typing import Any

MODEL = "tokenizer.model"
PROBES = (
    "Turn on the lamp in the kitchen, please. Thank you!",
    "What is 3 + 4.5? It's 7.5 (roughly).",
    "naïve café über straße żółw ñandú",
    "東京 こんにちは 안녕 Привет שלום مرحبا",
    "🙂 ☃ €100 “quoted” …",
    "def f(x):\n    return x ** 2\n",
    "two  spaces\tand a tab",
    "x",
)
"""Texts of many kinds. None begins with a space: transformers and SentencePiece differ there by intent."""


def differing_text(tokenizer: Any, source: Path) -> str | None:
    """The first text that the converted tokenizer cuts in another way than tokenizer.model does. Besides the probes,
    each piece of the vocabulary is tried by itself."""
    from sentencepiece import SentencePieceProcessor

    model = SentencePieceProcessor(model_file=str(source / MODEL))
    ordinary = [
        model.id_to_piece(index)
        for index in range(model.get_piece_size())
        if not (model.is_control(index) or model.is_unknown(index) or model.is_byte(index) or model.is_unused(index))
    ]
    # Those that are found whole in any text have no space put before them, unlike in SentencePiece
    marked = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    pieces = [text for piece in ordinary if piece not in marked and (text := piece.replace("▁", " ").strip())]
    texts = [*PROBES, *pieces]
    ours = tokenizer.encode_batch(texts, add_special_tokens=False)
    theirs = model.encode(texts)
    return next((text for text, a, b in zip(texts, ours, theirs, strict=True) if a.ids != b), None)
