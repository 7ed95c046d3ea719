"""Makes a tiny random base with a family's control tokens and chat template: FOLDER TEMPLATE.jinja BOS EOS TOKEN…

An empty BOS is none. Run with the trainer's tests on the path."""

import sys
from pathlib import Path

import tiny
from tokenizers.processors import ByteLevel, Sequence, TemplateProcessing
from transformers import AutoTokenizer

folder, template, bos, eos, *more = sys.argv[1:]
texts = [text for text in (bos, eos, *more) if text]


def make_tokenizer(target: Path, arch: str = "llama"):
    plain(target, arch)
    tokenizer = AutoTokenizer.from_pretrained(target)
    tokenizer.add_special_tokens({"additional_special_tokens": texts, "eos_token": eos})
    if bos:
        tokenizer.bos_token = bos
        before = TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tokenizer.convert_tokens_to_ids(bos))])
        tokenizer._tokenizer.post_processor = Sequence([ByteLevel(), before])
    tokenizer.chat_template = Path(template).read_text(encoding="utf-8")
    tokenizer.save_pretrained(target)
    return tokenizer


plain, tiny.make_tokenizer = tiny.make_tokenizer, make_tokenizer
tiny.make_base(Path(folder), "llama", max_position_embeddings=4096)
