"""The bottleneck beside every MLP: what it computes, how it folds into a wider one, what is saved."""

import json
from types import SimpleNamespace

import pytest
import tiny
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from temper_trainer.errors import TrainerError
from temper_trainer.job.settings import Adapter
from temper_trainer.methods.adapter import Adapted, AdapterMethod, attach
from temper_trainer.training.optim import FlatParameters
from temper_trainer.training.random_state import RandomState

IDS = torch.arange(3, 40)[None]
BASES = [("llama", {"mlp_bias": True}), ("llama", {"tied": False}), ("qwen2", {}), ("qwen3", {"tied": False})]


@pytest.fixture(scope="module", params=BASES, ids=str)
def folder(request, tmp_path_factory):
    arch, options = request.param
    return tiny.make_base(tmp_path_factory.mktemp("base"), arch, **options)


def load(folder, **changes):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, **changes)


def method(folder, size=32) -> AdapterMethod:
    return attach(Adapter("adapter", size), load(folder), RandomState(1, "cpu"))


def shake(method):
    """As if trained: the output is no longer zero."""
    torch.manual_seed(5)
    with torch.no_grad():
        for tensor in method.parameters().values():
            tensor += torch.randn_like(tensor) * 0.1
    return method


def wide(folder, method):
    """transformers' own model of the folded shape, with the folded tensors."""
    merge = method.merge(None)
    weights = load(folder).state_dict() | dict(merge.tensors())
    config = transformers.AutoConfig.from_pretrained(folder, **merge.config)
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.load_state_dict(weights)
    return model


def test_adapter_starts_as_the_base_and_trains_every_number(folder):
    ours = method(folder)
    with torch.no_grad():
        assert torch.equal(ours.model(IDS).logits, load(folder)(IDS).logits)
    shake(ours)
    flat = FlatParameters(ours.parameters())
    ours.model(input_ids=IDS, labels=IDS).loss.backward()
    assert flat.values.numel() == 2 * 3 * 32 * 64
    assert all(tensor.grad.abs().max() > 0 for tensor in flat.named.values())
    base = load(folder).state_dict()
    held = {name.replace("mlp.mlp.", "mlp."): tensor for name, tensor in ours.model.state_dict().items()}
    assert all(torch.equal(held[name], tensor) for name, tensor in base.items())


def test_adapter_folds_into_a_wider_model(folder):
    ours = shake(method(folder))
    folded = wide(folder, ours)
    with torch.no_grad():
        torch.testing.assert_close(folded(IDS).logits, ours.model(IDS).logits, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(folded(IDS).logits, load(folder)(IDS).logits, atol=0.01)
    shapes = ours.merge(None).shapes
    assert all(shapes[name] == tuple(tensor.shape) for name, tensor in ours.merged())


@settings(max_examples=40)
@given(
    hidden=st.integers(1, 40),
    wide=st.integers(1, 70),
    size=st.integers(1, 40),
    act=st.sampled_from(["silu", "gelu"]),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_fold_is_the_explicit_module(hidden, wide, size, act, bias, seed):
    """One MLP of any shape: the sum of both branches is one MLP of the joint width."""
    from transformers.models.llama.modeling_llama import LlamaConfig, LlamaMLP

    torch.manual_seed(seed)
    shape = {"hidden_size": hidden, "hidden_act": act, "mlp_bias": bias, "num_attention_heads": 1, "head_dim": 2}
    layer = Adapted(LlamaMLP(LlamaConfig(intermediate_size=wide, **shape)), size).double()
    torch.nn.init.normal_(layer.down)
    ours = object.__new__(AdapterMethod)
    ours.config, ours.layers = SimpleNamespace(size=size), {"model.layers.0.mlp": layer}
    whole = LlamaMLP(LlamaConfig(intermediate_size=wide + size, **shape)).double()
    tensors = {name.removeprefix("model.layers.0.mlp."): tensor.double() for name, tensor in ours.merged()}
    own = {"down_proj.bias": layer.mlp.down_proj.bias} if bias else {}
    whole.load_state_dict(tensors | own)
    x = torch.randn(3, hidden, dtype=torch.double)
    with torch.no_grad():
        torch.testing.assert_close(whole(x), layer(x), rtol=1e-4, atol=1e-4)


def test_adapter_saves_tensors_and_what_they_mean(tiny_llama, tmp_path):
    ours = shake(method(tiny_llama))
    ours.save(tmp_path / "one")
    saved = load_file(tmp_path / "one" / "adapter.safetensors")
    assert {name: tuple(tensor.shape) for name, tensor in saved.items()} == {
        f"layers.{layer}.{part}": shape
        for layer in range(2)
        for part, shape in (("gate", (32, 64)), ("up", (32, 64)), ("down", (64, 32)))
    }
    assert all(torch.equal(saved[name], tensor) for name, tensor in ours.parameters().items())
    assert json.loads((tmp_path / "one" / "adapter.json").read_text()) == {
        "version": 1,
        "kind": "gated_parallel_adapter",
        "size": 32,
        "activation": "silu",
        "layers": 2,
        "hidden": 64,
        "feed_forward": 128,
    }
    ours.save(tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_adapter_is_the_same_for_the_same_seed(tiny_llama):
    first, second = (method(tiny_llama).parameters() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_adapter_refuses_an_mlp_without_a_gate():
    config = transformers.AutoConfig.for_model(
        "phi", vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2
    )
    model = transformers.AutoModelForCausalLM.from_config(config)
    with pytest.raises(TrainerError, match='it has no "gate_proj"'):
        attach(Adapter("adapter", 32), model, RandomState(1, "cpu"))
