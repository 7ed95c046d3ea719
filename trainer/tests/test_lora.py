"""LoRA: PEFT's numbers, PEFT's files, and the merge."""

import json

import peft
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from peft.tuners.lora.layer import Linear

from temper_trainer.errors import TrainerError
from temper_trainer.job.settings import Lora
from temper_trainer.methods.lora import attach
from temper_trainer.training.random_state import RandomState

IDS = torch.arange(3, 40)[None]


def config(**changes) -> Lora:
    fields = {"kind": "lora", "rank": 4, "alpha": 8.0, "dropout": 0.0, "target": "all-linear", "rslora": False}
    return Lora(**(fields | changes))


def method(base, **changes):
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    result = attach(config(**changes), model, RandomState(1, "cpu"))
    return result


def shake(method):
    """As if trained: B is no longer zero."""
    torch.manual_seed(5)
    with torch.no_grad():
        for tensor in method.parameters().values():
            tensor.copy_(torch.randn_like(tensor) * 0.05)
    return method


@pytest.mark.parametrize("base", ["tiny_llama", "tiny_qwen2"])
def test_lora_computes_what_peft_computes(request, base):
    ours = shake(method(request.getfixturevalue(base), rslora=True))
    losses, gradients = [], []
    for patched in (True, False):
        if not patched:
            for layer in ours.layers.values():
                del layer.forward
            assert all(type(layer).forward is Linear.forward for layer in ours.layers.values())
        ours.model.zero_grad()
        loss = ours.model(input_ids=IDS, labels=IDS).loss
        loss.backward()
        losses.append(loss.item())
        gradients.append({name: tensor.grad.clone() for name, tensor in ours.parameters().items()})
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-3, atol=1e-6)


def test_lora_dropout_leaves_out_its_share_and_keeps_the_mean():
    random = RandomState(3, "cpu")
    mask, kept = random.dropout_mask(torch.Size((1000, 333)), 0.25)
    assert mask.shape == (1000, 333)
    assert mask.float().mean().item() == pytest.approx(kept, abs=0.004)
    assert mask.float().mean(0).std().item() == pytest.approx((0.25 * 0.75 / 1000) ** 0.5, rel=0.2)
    assert kept == pytest.approx(0.75, abs=1e-5)


def test_lora_dropout_gradient_matches_its_own_forward(tiny_llama):
    """A step along the gradient changes the loss as the gradient says, under the same masks."""
    random = RandomState(9, "cpu")
    start = random.numbers()
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)
    ours = shake(attach(config(dropout=0.5), model, random))
    ours.model.train()
    named = ours.parameters()

    def loss():
        random.restore(random.tensors(), start)
        return ours.model(input_ids=IDS, labels=IDS).loss

    loss().backward()
    slope = sum((tensor.grad**2).sum().item() for tensor in named.values())
    step = 0.01 / slope**0.5
    around = []
    with torch.no_grad():
        for shift in (step, -2 * step):
            for tensor in named.values():
                tensor.add_(tensor.grad * shift)
            around.append(loss().item())
    assert (around[0] - around[1]) / (2 * step) == pytest.approx(slope, rel=0.02)


def test_lora_is_the_same_for_the_same_seed(tiny_llama):
    first, second = (method(tiny_llama).parameters() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_lora_saves_what_peft_loads(tiny_llama, tmp_path):
    ours = shake(method(tiny_llama))
    ours.model.eval()
    ours.save(tmp_path / "adapter")
    base = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)
    loaded = peft.PeftModel.from_pretrained(base, tmp_path / "adapter")
    with torch.no_grad():
        torch.testing.assert_close(loaded(input_ids=IDS).logits, ours.model(input_ids=IDS).logits)
    ours.save(tmp_path / "again")
    names = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert names == ["adapter_config.json", "adapter_model.safetensors"]
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "adapter" / name).read_bytes()
    saved = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert saved["target_modules"] == sorted(saved["target_modules"])
    assert (saved["r"], saved["lora_alpha"]) == (4, 8)


@pytest.mark.parametrize("base", ["tiny_llama", "tiny_qwen2"])
def test_lora_merged_is_the_model_that_was_trained(request, base):
    folder = request.getfixturevalue(base)
    ours = shake(method(folder, target="attention"))
    ours.model.eval()
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder)
    weights = plain.state_dict()
    changed = dict(ours.merged())
    assert len(changed) == 8
    with torch.no_grad():
        for name, tensor in changed.items():
            assert not torch.equal(weights[name], tensor)
            weights[name].copy_(tensor)
        torch.testing.assert_close(plain(input_ids=IDS).logits, ours.model(input_ids=IDS).logits, rtol=1e-4, atol=1e-4)


@given(
    heads=st.integers(1, 4),
    feed_forward=st.integers(3, 40),
    rank=st.integers(1, 3),
    alpha=st.floats(0.5, 64),
    rslora=st.booleans(),
    biased=st.booleans(),
    seed=st.integers(0, 9),
)
@settings(max_examples=25)
def test_lora_folds_into_what_an_explicit_update_computes(heads, feed_forward, rank, alpha, rslora, biased, seed):
    shape = transformers.LlamaConfig(
        vocab_size=11,
        hidden_size=4 * heads,
        intermediate_size=feed_forward,
        num_hidden_layers=1,
        num_attention_heads=heads,
        attention_bias=biased,
        mlp_bias=biased,
    )
    torch.manual_seed(seed)
    ours = attach(
        config(rank=rank, alpha=alpha, rslora=rslora), transformers.LlamaForCausalLM(shape), RandomState(seed, "cpu")
    )
    shake(ours)
    folded = dict(ours.merged())
    assert len(folded) == 7
    parameters = dict(ours.model.named_parameters())
    for name, weight in folded.items():
        layer = f"base_model.model.{name.removesuffix('.weight')}"
        a, b = (parameters[f"{layer}.lora_{part}.default.weight"] for part in "AB")
        bias = parameters.get(f"{layer}.base_layer.bias")
        x = torch.randn(5, a.shape[1])
        scaling = alpha / (rank**0.5 if rslora else rank)
        wanted = torch.nn.functional.linear(x, parameters[f"{layer}.base_layer.weight"], bias)
        wanted = wanted + scaling * (x @ a.T @ b.T)
        torch.testing.assert_close(torch.nn.functional.linear(x, weight, bias), wanted, rtol=1e-4, atol=1e-5)


def test_lora_targets(tiny_llama):
    def targets(**changes):
        return sorted({name.rpartition(".")[2] for name in method(tiny_llama, **changes).layers})

    linear = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert targets() == linear
    assert targets(target="attention") == ["k_proj", "o_proj", "q_proj", "v_proj"]
    assert targets(target=["v_proj"]) == ["v_proj"]
    with pytest.raises(TrainerError, match='no linear layer called "w1"') as caught:
        targets(target=["v_proj", "w1"])
    assert caught.value.hint == f"Its linear layers are {', '.join(linear)}"


def test_lora_refuses_a_rank_wider_than_a_layer(tiny_llama):
    with pytest.raises(TrainerError, match=r"Cannot use method\.rank 33: the smallest layer it would update is 32"):
        method(tiny_llama, rank=33)
    assert method(tiny_llama, rank=33, target=["q_proj"])
