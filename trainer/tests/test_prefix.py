"""Prefixes of both placements: the loss behind them, what PEFT makes of them, how they answer."""

import numpy as np
import peft
import pytest
import torch
import transformers
from sharp import make_sharp
from test_packing import some_rows

from temper_trainer.errors import TrainerError
from temper_trainer.eval.decode import greedy
from temper_trainer.eval.scoring import score_rows
from temper_trainer.job.settings import Prefix
from temper_trainer.methods.prefix import attach
from temper_trainer.training.head import token_losses
from temper_trainer.training.optim import FlatParameters
from temper_trainer.training.packing import pack, packed_rows
from temper_trainer.training.random_state import RandomState

CPU = torch.device("cpu")
LENGTH = 5
BASES = [(arch, tied) for arch in ("llama", "qwen2", "qwen3") for tied in (True, False)]
PLACEMENTS = ["input", "layers"]


@pytest.fixture(scope="module", params=BASES, ids=lambda base: f"{base[0]}-{'tied' if base[1] else 'untied'}")
def folder(request, tmp_path_factory):
    arch, tied = request.param
    return make_sharp(tmp_path_factory.mktemp("base"), arch, tied=tied)


def load(folder, **changes):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, **changes)


def method(folder, placement, text="Home: do", length=LENGTH):
    def encode(words):
        return [3 + ord(letter) % 200 for letter in words]

    return attach(Prefix("prefix", length, placement, text), load(folder), RandomState(1, "cpu"), encode)


def shake(method):
    torch.manual_seed(5)
    with torch.no_grad():
        for tensor in method.parameters().values():
            tensor += torch.randn_like(tensor) * tensor.std()
    return method


def through_peft(ours, folder, work):
    ours.save(work / "adapter")
    return peft.PeftModel.from_pretrained(load(folder), work / "adapter")


def row_losses(model, rows) -> torch.Tensor:
    """Rows one by one through PEFT, all logits kept."""
    total = torch.zeros(())
    for tokens, labels in rows:
        ids = torch.from_numpy(tokens.astype(np.int64))[None]
        logits = model(input_ids=ids).logits[0, -len(tokens) : -1]
        losses = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")
        total = total + (losses * torch.from_numpy(labels[1:].astype(np.float32))).sum()
    return total


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_packed_rows_behind_a_prefix_have_peft_s_loss_and_gradient(folder, placement, tmp_path):
    ours = shake(method(folder, placement))
    flat = FlatParameters(ours.parameters())
    rows = some_rows([17, 17, 9, 9, 5, 2, 1])
    batch = pack(rows, CPU, ours.prefix_length)
    with packed_rows(ours.causal):
        loss = token_losses(ours.causal, ours.hidden(batch)[batch.places], batch.targets).sum()
        loss.backward()
    reference = through_peft(ours, folder, tmp_path)
    parameter = reference.prompt_encoder["default"].embedding.weight.requires_grad_()
    usual = row_losses(reference, rows)
    usual.backward()
    assert loss.item() == pytest.approx(usual.item(), rel=1e-5)
    (gradient,) = [tensor.grad for tensor in flat.named.values()]
    torch.testing.assert_close(gradient, parameter.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_rows_behind_a_prefix_do_not_see_each_other(tiny_llama, placement):
    ours = shake(method(tiny_llama, placement))
    first, second, third = some_rows([6, 6, 4])
    with packed_rows(ours.causal), torch.no_grad():
        alone = ours.hidden(pack([second], CPU, ours.prefix_length))
        among = ours.hidden(pack([first, second, third], CPU, ours.prefix_length))
    torch.testing.assert_close(among[6:12], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_prefix_scores_and_answers_as_in_peft(folder, placement, tmp_path):
    ours = shake(method(folder, placement))
    reference = through_peft(ours, folder, tmp_path)
    reference.eval()
    rows = some_rows([17, 12, 9, 9, 4], seed=2)
    for _, labels in rows:
        labels[0], labels[-1] = 0, 1
    scores = score_rows(ours.model, Rows(rows), 40, past=ours.past())
    with torch.no_grad():
        assert sum(score.nll for score in scores) == pytest.approx(row_losses(reference, rows).item(), rel=1e-5)
    # A common beginning and prompts of different length, alone and together
    prompts = [[7, 8, 9, *row[0].tolist()] for row in rows]
    wanted = [plain_greedy(reference, prompt, 6) for prompt in prompts]
    assert greedy(ours.model, prompts, [], 6, past=ours.past()) == wanted
    assert [greedy(ours.model, [prompt], [], 6, past=ours.past())[0] for prompt in prompts] == wanted
    assert greedy(ours.model, prompts, [], 6) != wanted


class Rows(list):
    """Stands for a prepared file."""

    def row(self, index):
        return self[index]

    def lengths(self, indices):
        return np.array([len(self[index][0]) for index in indices])


@torch.no_grad()
def plain_greedy(model, prompt, count):
    answer = []
    for _ in range(count):
        logits = model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0, -1]
        answer.append(int(logits.argmax()))
    return answer


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_prefix_starts_as_the_text_before_the_row(folder, placement):
    """Until it is trained, the model answers as if the text stood there."""
    ours = method(folder, placement, text="abcde")
    ids = [3 + ord(letter) % 200 for letter in "abcde"]
    prompt = [9, 8, 7]
    assert greedy(ours.model, [prompt], [], 5, past=ours.past()) == [plain_greedy(load(folder), [*ids, *prompt], 5)]


def test_a_prefix_repeats_or_cuts_its_text(tiny_llama):
    weights = load(tiny_llama).get_input_embeddings().weight
    ids = [3 + ord(letter) % 200 for letter in "abcabcabc"]
    assert torch.equal(method(tiny_llama, "input", "abc", 7).embeddings, weights[ids[:7]])
    assert torch.equal(method(tiny_llama, "input", "abcabc", 4).embeddings, weights[ids[:4]])
    first, second = (method(tiny_llama, "input", None, 500).embeddings for _ in range(2))
    assert torch.equal(first, second)
    assert len(torch.unique(first, dim=0)) == len(weights)
    with pytest.raises(TrainerError, match=r"Cannot start the prefix from method\.init_text: it has no tokens"):
        method(tiny_llama, "input", "")


@pytest.mark.parametrize(("placement", "numbers"), [("input", 5 * 64), ("layers", 5 * 2 * 2 * 2 * 16)])
def test_a_prefix_trains_itself_alone(tiny_llama, placement, numbers):
    ours = method(tiny_llama, placement)
    assert sum(tensor.numel() for tensor in ours.parameters().values()) == numbers
    assert not any(tensor.requires_grad for tensor in ours.model.parameters())


def test_a_prefix_refuses_sliding_windows(tiny_qwen2):
    layers = {"use_sliding_window": True, "sliding_window": 4, "layer_types": ["sliding_attention"] * 2}
    model = load(tiny_qwen2, **layers)
    with pytest.raises(TrainerError, match="its attention has sliding windows"):
        attach(Prefix("prefix", 5, "input", "a"), model, RandomState(1, "cpu"), lambda _: [1])


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_prefix_saves_the_same_bytes_again(tiny_llama, placement, tmp_path):
    ours = shake(method(tiny_llama, placement))
    for name in ("one", "two"):
        ours.save(tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["adapter_config.json", "adapter_model.safetensors"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
