"""A prefix as rows of the vocabulary, judged by llama.cpp against the model that was trained."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_cpp import LlamaCpp, hf_log_probs
from safetensors.torch import load_file, save_file
from sharp import make_sharp
from test_export import EXACT, NOISE, PROMPTS, export, from_gguf, quiet
from test_gguf_tokenizer import sentencepiece
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from temper_trainer.bases.base import Base, prepare_base
from temper_trainer.data.added_tokens import opening, soft_tokens
from temper_trainer.data.encoder import Encoder
from temper_trainer.data.linear_template import render_prompt
from temper_trainer.errors import TrainerError
from temper_trainer.export.export import bos_text, check_tokens
from temper_trainer.export.merge import AddedTokens, Merge
from temper_trainer.gguf.added_tokens import GrownParts, with_tokens
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.from_hf import write_from_hf
from temper_trainer.gguf.quantize import REQUESTED, quantize
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.gguf.splice import splice
from temper_trainer.gguf.values import f32s, i32s, strings
from temper_trainer.job.settings import Prefix, Template, Turn
from temper_trainer.methods.output_rows import LEAST, NEAR, WANTED, farthest_below, unlikely_rows
from temper_trainer.methods.prefix import attach
from temper_trainer.training.packing import pack, packed_rows
from temper_trainer.training.random_state import RandomState

BASES = [(arch, tied) for arch in ("llama", "qwen2", "qwen3") for tied in (True, False)]
LENGTH = 6
TEMPLATE = Template(**tiny.CHATML | {"turns": {role: Turn(**turn) for role, turn in tiny.CHATML["turns"].items()}})


def make_leaning(folder: Path, arch: str, **options) -> Path:
    """Hidden states of trained models share a direction; those of random ones point everywhere."""
    make_sharp(folder, arch, **options)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["model.embed_tokens.weight"] += torch.linspace(-0.8, 0.8, 64)
    save_file(tensors, path, {"format": "pt"})
    return folder


@pytest.fixture(scope="module", params=BASES, ids=lambda base: f"{base[0]}-{'tied' if base[1] else 'untied'}")
def base(request, tmp_path_factory) -> Base:
    arch, tied = request.param
    work = tmp_path_factory.mktemp("base")
    return prepare_base(tiny.folder_base(make_leaning(work / "hf", arch, tied=tied)), work / "cache", quiet)


def trained(base: Base):
    """A prefix that was moved, as if by training, and what its states are on some rows."""
    model = base.load_model(torch.float32, "cpu")
    method = attach(Prefix("prefix", LENGTH, "input", "a"), model, RandomState(1, "cpu"), lambda _: [5, 9, 40])
    torch.manual_seed(3)
    with torch.no_grad():
        method.embeddings += torch.randn_like(method.embeddings) * method.embeddings.std() * 2
    method.model.eval()
    return method


def states(method) -> tuple[torch.Tensor, torch.Tensor]:
    rows = [(np.array(prompt), np.ones(len(prompt))) for prompt in PROMPTS]
    with packed_rows(method.causal), torch.no_grad():
        found = method.hidden(pack(rows, torch.device("cpu"), method.prefix_length))
    return found, found[:40]


def log_probs(method, prompt: list[int]) -> np.ndarray:
    with torch.no_grad():
        logits = method.model(torch.tensor([prompt]), past_key_values=method.past().cache(method.model)).logits[0, -1]
    return torch.log_softmax(logits.double(), -1).numpy()


def judged(path: Path, vocabulary: int, prompt: list[int]) -> np.ndarray:
    """Log-probabilities behind the soft tokens, those of the soft tokens at the end."""
    soft = list(range(vocabulary, vocabulary + LENGTH))
    return LlamaCpp(path).log_probs([*soft, *prompt], vocabulary + LENGTH)


def distance(path: Path, method, base: Base) -> float:
    vocabulary = base.info["vocab"]
    return max(np.abs(judged(path, vocabulary, p)[:vocabulary] - log_probs(method, p)).max() for p in PROMPTS)


def merge_of(method) -> Merge:
    return method.merge(lambda: states(method))


def test_export_of_a_prefix_answers_as_it_was_trained(tmp_path, base):
    method = trained(base)
    merge = merge_of(method)
    facts = merge.facts["soft_tokens"]
    assert facts["tokens"] == LENGTH
    assert facts["positions"] == sum(map(len, PROMPTS))
    assert facts["margin"] >= WANTED - 1
    assert facts["held_out_margin"] >= LEAST
    for quantization, noise in NOISE.items():
        path = export(base, tmp_path / quantization, merge, quantization) / "model.gguf"
        assert distance(path, method, base) < noise, quantization
        file = GgufFile(path)
        assert file.tensors["token_embd.weight"].type == (REQUESTED[quantization] if quantization[0] != "q" else 1)
        assert file.get(f"{base.info['arch']}.vocab_size") == base.info["vocab"] + LENGTH
        assert file.get("tokenizer.ggml.tokens")[-LENGTH:] == soft_tokens(LENGTH)
    plain = base.load_model(torch.float32, "cpu")
    assert max(np.abs(log_probs(method, p) - hf_log_probs(plain, p)).max() for p in PROMPTS) > NOISE["q8_0"]


def test_soft_tokens_are_never_likely_and_change_nothing_else(tmp_path, base):
    method = trained(base)
    vocabulary = base.info["vocab"]
    unsuppressed = {"tokenizer.ggml.suppress_tokens": None}
    grown = export(base, tmp_path / "grown", merge_of(method)) / "model.gguf"
    file = GgufFile(grown)
    bare = tmp_path / "bare.gguf"
    splice(file, bare, [], "f32", Changes(unsuppressed), quiet)
    untouched = export(base, tmp_path / "plain", Merge(lambda: iter(()))) / "model.gguf"
    first, second = LlamaCpp(bare), LlamaCpp(untouched)
    for prompt in PROMPTS:
        found = first.log_probs(prompt, vocabulary + LENGTH)
        np.testing.assert_allclose(found[:vocabulary], second.log_probs(prompt, vocabulary), atol=1e-5)
        behind = judged(bare, vocabulary, prompt)
        assert behind[vocabulary:].max() < -LEAST


@pytest.mark.parametrize("tied", [True, False])
def test_soft_rows_that_are_tied_to_the_head_are_noticed(tmp_path, tied):
    """The judge must be able to see the mistake it is there for."""
    folder = make_leaning(tmp_path / "hf", "llama", tied=tied)
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    method = trained(base)
    merge = merge_of(method)
    wrong = replace(merge, added_tokens=replace(merge.added_tokens, outputs=merge.added_tokens.embeddings))
    path = export(base, tmp_path / "job", wrong) / "model.gguf"
    bare = tmp_path / "bare.gguf"
    splice(GgufFile(path), bare, [], "f32", Changes({"tokenizer.ggml.suppress_tokens": None}), quiet)
    vocabulary = base.info["vocab"]
    assert max(judged(bare, vocabulary, prompt)[vocabulary:].max() for prompt in PROMPTS) > -1


@pytest.mark.parametrize("quantization", ["q8_0", "q4_0"])
def test_a_prefix_over_a_quantised_base_keeps_its_bytes(tmp_path, base, quantization):
    packed = export(base, tmp_path / "packed", Merge(lambda: iter(())), quantization) / "model.gguf"
    again = from_gguf(packed, tmp_path / "cache")
    method = trained(again)
    merge = merge_of(method)
    assert distance(export(again, tmp_path / "f32", merge, "f32") / "model.gguf", method, again) < EXACT
    before = GgufFile(packed)
    after = GgufFile(export(again, tmp_path / "small", merge, "q8_0") / "model.gguf")
    for name in before.tensors.keys() - {"token_embd.weight", "output.weight"}:
        assert np.array_equal(before.data(name), after.data(name)), name
    source = "output.weight" if "output.weight" in before.tensors else "token_embd.weight"
    head = before.data(source)
    assert np.array_equal(after.data("output.weight")[: len(head)], head)
    assert after.tensors["token_embd.weight"].type == 1
    difference = after.values("token_embd.weight")[: again.info["vocab"]] - before.values("token_embd.weight")
    assert np.abs(difference).max() < 2e-3 * np.abs(before.values("token_embd.weight")).max()


def test_a_merged_folder_with_soft_tokens_answers_the_same(tmp_path, base):
    method = trained(base)
    artifacts = export(base, tmp_path / "job", merge_of(method), merged=True)
    folder = artifacts / "merged"
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    vocabulary = base.info["vocab"]
    soft = list(range(vocabulary, vocabulary + LENGTH))
    assert tokenizer("".join(soft_tokens(LENGTH)) + "on 12").input_ids == [*soft, *base.tokenizer()("on 12").input_ids]
    messages = tiny.conversation("on 12", "do: on")[:-1]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert text == "".join(soft_tokens(LENGTH)) + render_prompt(TEMPLATE, messages)
    for prompt in PROMPTS:
        found = hf_log_probs(model, [*soft, *prompt])
        np.testing.assert_allclose(found[:vocabulary], log_probs(method, prompt), atol=EXACT)
        assert found[vocabulary:].max() < -LEAST
    again = tmp_path / "again.gguf"
    write_from_hf(folder, again, [], "f32", Changes(), quiet)
    ours, theirs = GgufFile(artifacts / "model.gguf"), GgufFile(again)
    assert ours.tensors.keys() == theirs.tensors.keys()
    assert all(np.array_equal(ours.data(name), theirs.data(name)) for name in ours.tensors)
    assert ours.get("tokenizer.ggml.tokens") == theirs.get("tokenizer.ggml.tokens")
    assert ours.get("tokenizer.ggml.token_type") == theirs.get("tokenizer.ggml.token_type")


def with_bos(folder: Path) -> Path:
    core = Tokenizer.from_file(str(folder / "tokenizer.json"))
    core.post_processor = TemplateProcessing(single=["<|endoftext|>", "$A"], special_tokens=[("<|endoftext|>", 0)])
    core.save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize("prefix", ["", "<|endoftext|>"])
def test_soft_tokens_come_before_bos(tmp_path, prefix):
    """The prompt that a server tokenises is the one that was trained, whoever writes BOS."""
    folder = with_bos(make_leaning(tmp_path / "hf", "llama"))
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    template = replace(TEMPLATE, prefix=prefix)
    messages = tiny.conversation("on 12", "do: on")[:-1]
    core = Tokenizer.from_file(str(base.dir / "tokenizer.json"))
    encoder = Encoder(core, template.stop, base.info["bos"])
    prompt = encoder.encode_prompt(render_prompt(template, messages))
    assert (prompt[0], prompt.count(0)) == (0, 1)
    method = trained(base)
    job = tmp_path / "job"
    artifacts = export(base, job, merge_of(method), merged=True)
    names = soft_tokens(LENGTH)
    assert json.loads((job / "tokens.json").read_text())["template"] == tiny.CHATML
    judge = LlamaCpp(artifacts / "model.gguf")
    start = opening(names, template, bos_text(base))
    turns = render_prompt(replace(template, prefix=""), messages)
    vocabulary = base.info["vocab"]
    soft = list(range(vocabulary, vocabulary + LENGTH))
    assert judge.tokenize(start + turns, add_special=True) == [*soft, *prompt]
    assert judge.tokenize(judge.apply_template(messages), add_special=True) == [*soft, *prompt]
    merged = transformers.AutoTokenizer.from_pretrained(artifacts / "merged")
    assert merged.apply_chat_template(messages, add_generation_prompt=True).input_ids == [*soft, *prompt]


def test_opening_leaves_bos_to_the_server_where_nothing_comes_before_it():
    template = replace(TEMPLATE, prefix="<s>")
    assert opening([], template, "<s>") == ""
    assert opening([], template, None) == "<s>"
    assert opening(["A", "B"], template, "<s>") == "AB<s>"
    assert opening(["A", "B"], template, None) == "AB<s>"
    assert opening(["A"], TEMPLATE, "<s>") == "A<s>"
    assert opening([], TEMPLATE, "<s>") == ""


@pytest.mark.parametrize("space", [True, False])
def test_soft_tokens_of_a_sentencepiece_vocabulary(tmp_path, space):
    """What follows them is tokenised as it was without them."""
    folder = make_leaning(tmp_path / "hf", "llama")
    write_from_hf(folder, tmp_path / "bpe.gguf", [], "f32", Changes(), quiet)
    byte_level = GgufFile(tmp_path / "bpe.gguf")
    rows = byte_level.tensors["token_embd.weight"].shape[0]
    splice(byte_level, tmp_path / "spm.gguf", [], "f32", Changes(sentencepiece(rows, space)), quiet)
    base = from_gguf(tmp_path / "spm.gguf", tmp_path / "cache")
    path = export(base, tmp_path / "job", merge_of(trained(base))) / "model.gguf"
    assert GgufFile(path).get("tokenizer.ggml.scores")[-LENGTH:] == [0.0] * LENGTH
    before, after = LlamaCpp(tmp_path / "spm.gguf"), LlamaCpp(path)
    soft = list(range(rows, rows + LENGTH))
    for text in ["the and is", " the", "and</s>the", "</s> the", "a\n\n b  c"]:
        start = "".join(soft_tokens(LENGTH)) + "<s>"
        assert after.tokenize(start + text, add_special=True) == [*soft, *before.tokenize(text, add_special=True)]


def joined(pieces):
    return np.concatenate(list(pieces))


class Parts:
    precise = ()

    def __init__(self, tensors: dict[str, np.ndarray], kind: int):
        self.tensors, self.kind = tensors, kind
        self.shapes = {name: tensor.shape for name, tensor in tensors.items()}

    def type(self, _name):
        return self.kind

    def data(self, name):
        yield quantize(name, self.tensors[name], self.kind)

    def values(self, name):
        yield from np.array_split(self.tensors[name], 2)


@settings(max_examples=60)
@given(
    rows=st.integers(1, 50),
    blocks=st.integers(1, 3),
    count=st.integers(1, 20),
    tied=st.booleans(),
    kind=st.sampled_from([0, 1, 30, 2, 3, 6, 7, 8]),
    seed=st.integers(0, 99),
)
def test_grown_parts_are_the_base_s_with_rows_below(rows, blocks, count, tied, kind, seed):
    random = np.random.default_rng(seed)
    width = 32 * blocks
    names = ["token_embd.weight", "blk.0.ffn_up.weight", *([] if tied else ["output.weight"])]
    base = Parts({name: random.standard_normal((rows, width)).astype(np.float32) for name in names}, kind)
    embeddings, outputs = random.standard_normal((2, count, width)).astype(np.float32)
    grown = GrownParts(base, AddedTokens(soft_tokens(count), embeddings, outputs))
    source = "token_embd.weight" if tied else "output.weight"
    for name, first, more in (
        ("token_embd.weight", "token_embd.weight", embeddings),
        ("output.weight", source, outputs),
    ):
        whole = np.concatenate([base.tensors[first], more])
        assert grown.shapes[name] == whole.shape
        assert np.array_equal(joined(grown.values(name)), whole)
        assert np.array_equal(joined(grown.data(name)), quantize(name, whole, kind))
    assert np.array_equal(joined(grown.data("blk.0.ffn_up.weight")), joined(base.data("blk.0.ffn_up.weight")))
    assert grown.shapes.keys() == {*names, "output.weight"}


def test_rows_cannot_be_added_to_k_quants():
    """Q6_K blocks cannot be made here: the head is quantised anew from its values."""
    base = Parts({"token_embd.weight": np.ones((4, 256), np.float32)}, 14)
    grown = GrownParts(base, AddedTokens(["a"], np.zeros((1, 256), np.float32), np.ones((1, 256), np.float32)))
    assert grown.type("output.weight") == 0
    data = joined(grown.data("output.weight")).view(np.float32).reshape(5, 256)
    assert np.array_equal(data, np.ones((5, 256)))


@given(
    count=st.integers(1, 30), scores=st.booleans(), types=st.booleans(), bias=st.lists(st.integers(0, 9), max_size=2)
)
def test_with_tokens_keeps_every_list_as_long_as_the_vocabulary(count, scores, types, bias):
    kv = {"tokenizer.ggml.tokens": strings(["a", "b", "\udcff"])}
    if scores:
        kv["tokenizer.ggml.scores"] = f32s([0.5, -1.0, 2.0])
    if types:
        kv["tokenizer.ggml.token_type"] = i32s([1, 3, 6])
    if bias:
        kv["tokenizer.ggml.suppress_tokens"] = i32s(bias)
    found = {key: value.decode() for key, value in with_tokens(kv, soft_tokens(count)).items()}
    assert found["tokenizer.ggml.tokens"] == ["a", "b", "\udcff", *soft_tokens(count)]
    assert found["tokenizer.ggml.token_type"] == [*([1, 3, 6] if types else [1, 1, 1]), *[3] * count]
    assert found.get("tokenizer.ggml.scores") == ([0.5, -1.0, 2.0, *[0.0] * count] if scores else None)
    assert found["tokenizer.ggml.suppress_tokens"] == [*bias, *range(3, 3 + count)]
    assert found["tokenizer.ggml.add_bos_token"] is False
    with pytest.raises(TrainerError, match=r'its vocabulary has "<\|soft_000\|>" already'):
        with_tokens(with_tokens(kv, soft_tokens(1)), soft_tokens(count))


def test_check_tokens_refuses_a_base_that_has_them(tmp_path):
    folder = make_leaning(tmp_path / "hf", "llama")
    base = prepare_base(tiny.folder_base(folder), tmp_path / "cache", quiet)
    check_tokens(base, soft_tokens(LENGTH))
    path = export(base, tmp_path / "job", merge_of(trained(base))) / "model.gguf"
    with pytest.raises(TrainerError, match=r'its vocabulary has "<\|soft_000\|>" already'):
        check_tokens(from_gguf(path, tmp_path / "cache"), soft_tokens(2))


@settings(max_examples=50)
@given(
    width=st.integers(2, 60),
    count=st.integers(1, 120),
    radius=st.floats(0.01, 0.9),
    seed=st.integers(0, 99),
)
def test_farthest_below_is_the_far_side_of_the_nearest_point(width, count, radius, seed):
    """All points lie in a ball around a point at distance 1: the best depth is 1 - radius at the least."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.nn.functional.normalize(torch.randn(width, generator=generator, dtype=torch.double), dim=0)
    noise = torch.randn(count, width, generator=generator, dtype=torch.double)
    points = centre + radius * torch.nn.functional.normalize(noise, dim=1)
    direction, depth = farthest_below(points)
    assert direction.norm().item() == pytest.approx(1)
    assert depth == pytest.approx(-(points @ direction).max().item())
    assert depth >= (1 - NEAR) * (1 - radius)


def test_hide_refuses_states_that_point_everywhere(tiny_llama):
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)
    some = torch.randn(20, 64)
    with pytest.raises(TrainerError, match="no direction separates") as caught:
        unlikely_rows(model, torch.cat([some, -some]), some[:0], 3)
    assert caught.value.exit_code == 1
    leaning = some + 9 * torch.ones(64)
    rows, facts = unlikely_rows(model, leaning, some[:0], 3)
    assert rows.shape == (3, 64)
    assert facts["soft_tokens"]["held_out_margin"] is None
    with pytest.raises(TrainerError, match="on held-out rows their logits come within"):
        unlikely_rows(model, leaning, -leaning, 3)


def test_f32s_are_read_back():
    assert f32s([0.0, -1.5]).raw == struct.pack("<IQ2f", 6, 2, 0.0, -1.5)
    assert f32s([0.0, -1.5]).decode() == [0.0, -1.5]
