"""Tokenizers through GGUF and back, and llama.cpp's opinion of them."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_cpp import LlamaCpp
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from temper_trainer.data.encoder import Encoder
from temper_trainer.data.examples import Row
from temper_trainer.data.linear_template import LinearChat, render_prompt
from temper_trainer.errors import TrainerError
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.from_hf import write_from_hf
from temper_trainer.gguf.pretokenizers import FAMILIES, build, family_of
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.gguf.splice import splice
from temper_trainer.gguf.tokenizer import write_tokenizer
from temper_trainer.gguf.values import ARRAY, Value, boolean, i32s, string, strings, u32
from temper_trainer.gguf.vocabulary import tokenizer_metadata
from temper_trainer.job.settings import Template, Turn

HARD = [
    "1234567 x12. 12345,12",
    "turn the 123 lamps on, it's 4.50 %",
    "naïve café 東京 🙂 ½ ²",
    "  two  spaces \n\n\n tab\t end  ",
    "<|im_start|>user\nHi<|im_end|>\n<|im_star",
    "DON'T don't 'S x'll\r\n---=== a_b $1,000",
    "",
]
CROSSING = ["1234 12", "x12.", "don't 'S", "a  b\n\n\n", "end ,\r\n", " $1", "=-= ", "½²1", "é '"]
MIXED = st.text(
    st.sampled_from("abtoni '1²½é東🙂 \n\t\r.,<|$=_-") | st.characters(exclude_categories=["Cs"]), max_size=40
)


def quiet(*_):
    pass


def with_family(base: Path, folder: Path, family) -> Path:
    """A tiny base whose merges cross every border, so that a text cut elsewhere gets other tokens."""
    folder.mkdir()
    for path in base.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    rows = json.loads((folder / "config.json").read_text())["vocab_size"]
    core = Tokenizer(models.BPE(ignore_merges=family.ignore_merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=rows,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    windows = [text[at : at + size] for text in CROSSING for at in range(len(text)) for size in (2, 3, 4)]
    core.train_from_iterator(windows, trainer)
    core.pre_tokenizer = build(family)
    core.save(str(folder / "tokenizer.json"))
    return folder


def as_gguf(folder: Path, target: Path, changes: dict | None = None) -> GgufFile:
    write_from_hf(folder, target, [], "f32", Changes(changes or {}), quiet)
    return GgufFile(target)


def reread(file: GgufFile, folder: Path) -> Tokenizer:
    folder.mkdir(exist_ok=True)
    write_tokenizer(file, folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.names[0])
def family_files(request, tiny_llama, tmp_path_factory):
    work = tmp_path_factory.mktemp("family")
    folder = with_family(tiny_llama, work / "hf", request.param)
    file = as_gguf(folder, work / "a.gguf")
    return request.param, Tokenizer.from_file(str(folder / "tokenizer.json")), reread(file, work / "back"), file


def test_every_family_is_named_and_comes_back(family_files):
    family, before, after, file = family_files
    assert file.get("tokenizer.ggml.pre") == family.names[0]
    assert before.get_vocab().items() <= after.get_vocab().items()
    for text in HARD:
        ids = after.encode(text).ids
        assert ids == before.encode(text).ids
        assert after.decode(ids, skip_special_tokens=False) == text


def test_llama_cpp_tokenises_every_family_the_same(family_files):
    _, before, _, file = family_files
    judge = LlamaCpp(file.path)
    for text in HARD:
        assert judge.tokenize(text) == before.encode(text, add_special_tokens=False).ids, text


@settings(max_examples=100, deadline=None)
@given(MIXED)
def test_families_keep_any_text(family_files, text):
    _, before, after, _ = family_files
    assert after.encode(text).ids == before.encode(text).ids
    assert after.decode(after.encode(text).ids, skip_special_tokens=False) == text


def test_tokens_keep_their_kind_and_gaps_are_filled(tmp_path, tiny_llama):
    folder = with_family(tiny_llama, tmp_path / "hf", FAMILIES[3])
    core = Tokenizer.from_file(str(folder / "tokenizer.json"))
    core.add_tokens(["<think>"])
    core.save(str(folder / "tokenizer.json"))
    size = core.get_vocab_size()
    pairs = tokenizer_metadata(folder, size + 3)
    types, tokens = pairs["tokenizer.ggml.token_type"].decode(), pairs["tokenizer.ggml.tokens"].decode()
    assert tokens[-4:] == ["<think>", f"[PAD{size}]", f"[PAD{size + 1}]", f"[PAD{size + 2}]"]
    assert types[-4:] == [4, 5, 5, 5]
    assert [tokens[i] for i, kind in enumerate(types) if kind == 3] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    with pytest.raises(TrainerError, match='too few for token "<think>"'):
        tokenizer_metadata(folder, size - 1)


def test_bos_is_added_where_the_tokenizer_adds_it(tmp_path, tiny_llama):
    from tokenizers.processors import TemplateProcessing

    folder = with_family(tiny_llama, tmp_path / "hf", FAMILIES[0])
    core = Tokenizer.from_file(str(folder / "tokenizer.json"))
    core.post_processor = TemplateProcessing(single=["<|endoftext|>", "$A"], special_tokens=[("<|endoftext|>", 0)])
    core.save(str(folder / "tokenizer.json"))
    file = as_gguf(folder, tmp_path / "a.gguf")
    after, judge = reread(file, tmp_path / "back"), LlamaCpp(file.path)
    for text in HARD:
        assert after.encode(text).ids == core.encode(text).ids == judge.tokenize(text, add_special=True)
    assert after.encode("a").ids[0] == 0
    turns = {role: Turn(**turn) for role, turn in tiny.CHATML["turns"].items()}
    template = Template(**tiny.CHATML | {"turns": turns})
    encoder = Encoder(after, template.stop, bos=0)
    messages = tiny.conversation("on 12", "do: on")
    text = render_prompt(template, messages[:-1])
    prompt = encoder.encode_prompt(text)
    assert prompt == judge.tokenize(text, add_special=True)
    assert encoder.encode_prompt(f"<|endoftext|>{text}") == prompt
    samples = LinearChat(template).answers([Row("a:1", messages)], [[2]])
    ((first, answered),) = encoder.encode_samples(samples)
    assert first == (prompt, False)
    assert encoder.encode_whole(samples) == [prompt + answered[0]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": {"byte_fallback": True}}, "SentencePiece BPE"),
        ({"normalizer": {"type": "Lowercase"}}, "Lowercase"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, r'pre-tokenizer: \{"type": "Whitespace"'),
        (
            {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}},
            r'pre-tokenizer: \{"type": "ByteLevel"',
        ),
    ],
)
def test_metadata_refuses_other_tokenizers(tmp_path, tiny_llama, change, words):
    parsed = json.loads((tiny_llama / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps(tiny.merge(parsed, change)))
    with pytest.raises(TrainerError, match=words) as caught:
        tokenizer_metadata(tmp_path, 500)
    assert "export.gguf to false" in caught.value.hint


def test_family_of_reads_no_meaning_into_unknown_parts():
    assert family_of({"model": {}, "pre_tokenizer": None}) is None
    assert (
        family_of({"model": {}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}]}})
        is None
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tokenizer.ggml.pre": string("martian")}, 'pre-tokenizer "martian" is not one of llama-bpe'),
        ({"tokenizer.ggml.model": string("bert")}, '"bert" is neither'),
        ({"tokenizer.ggml.tokens": None}, "no tokenizer"),
        ({"tokenizer.ggml.merges": strings(["zz top"])}, "merges do not fit"),
        ({"tokenizer.ggml.model": string("llama")}, "0 scores"),
    ],
)
def test_write_tokenizer_refuses_what_it_does_not_know(tmp_path, tiny_llama, change, words):
    file = as_gguf(tiny_llama, tmp_path / "a.gguf", change)
    with pytest.raises(TrainerError, match=words):
        write_tokenizer(file, tmp_path)


WORDS = "a b c d e t h o n s i r l ▁t he ▁the in ▁a on er ▁th es ▁s ing é th en or is ▁in at it nd and ▁and ▁is"
PIECES = ["▁", *WORDS.split()]


def sentencepiece(rows: int, prefix: bool) -> dict[str, Value]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *PIECES]
    gaps = rows - len(tokens)
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(PIECES))] + [0.0] * gaps
    packed = struct.pack("<IQ", 6, rows) + np.array(scores, "<f4").tobytes()
    return {
        "tokenizer.ggml.model": string("llama"),
        "tokenizer.ggml.pre": None,
        "tokenizer.ggml.merges": None,
        "tokenizer.ggml.tokens": strings(tokens + [f"[PAD{index}]" for index in range(gaps)]),
        "tokenizer.ggml.token_type": i32s([2, 3, 3] + [6] * 256 + [1] * len(PIECES) + [5] * gaps),
        "tokenizer.ggml.scores": Value(ARRAY, packed),
        "tokenizer.ggml.bos_token_id": u32(1),
        "tokenizer.ggml.eos_token_id": u32(2),
        "tokenizer.ggml.unknown_token_id": u32(0),
        "tokenizer.ggml.padding_token_id": None,
        "tokenizer.ggml.add_bos_token": boolean(True),
        "tokenizer.ggml.add_space_prefix": boolean(prefix),
    }


@pytest.mark.parametrize("prefix", [True, False])
def test_sentencepiece_is_tokenised_as_llama_cpp_does(tmp_path, tiny_llama, prefix):
    byte_level = as_gguf(tiny_llama, tmp_path / "bpe.gguf")
    rows = byte_level.tensors["token_embd.weight"].shape[0]
    splice(byte_level, tmp_path / "spm.gguf", [], "f32", Changes(sentencepiece(rows, prefix)), quiet)
    core, judge = reread(GgufFile(tmp_path / "spm.gguf"), tmp_path / "back"), LlamaCpp(tmp_path / "spm.gguf")
    for text in ["the and is", " the", "  the\nx é東", "and</s>the", "</s> the", "a\n\n b  c", ""]:
        plain = core.encode(text, add_special_tokens=False).ids
        assert plain == judge.tokenize(text)
        assert core.encode(text).ids == judge.tokenize(text, add_special=True)
        if "</s>" not in text:
            assert core.decode(plain) == text
