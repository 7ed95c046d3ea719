"""QLoRA: the levels of NF4, gradients under them, and answers with the base's own weights."""

import numpy as np
import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_lora import shake

from temper_trainer.bases.base import prepare_base
from temper_trainer.bases.weights import Weights
from temper_trainer.errors import TrainerError
from temper_trainer.job.settings import Qlora
from temper_trainer.methods import four_bit, lora, nf4, qlora
from temper_trainer.methods.four_bit import FourBitLinear, read_tensor
from temper_trainer.training.device import Environment
from temper_trainer.training.optim import FlatParameters
from temper_trainer.training.random_state import RandomState

BASES = [(arch, tied) for arch in ("llama", "qwen2", "qwen3") for tied in (True, False)]
CPU = Environment("", "cpu", "fp32", 1)
IDS = torch.arange(3, 40)[None]


@pytest.fixture(scope="module", params=BASES, ids=lambda base: f"{base[0]}-{'tied' if base[1] else 'untied'}")
def base(request, tmp_path_factory):
    arch, tied = request.param
    work = tmp_path_factory.mktemp("base")
    folder = tiny.make_base(work / "hf", arch, tied=tied)
    return prepare_base(tiny.folder_base(folder), work / "cache", lambda *_: None)


def config(**changes) -> Qlora:
    fields = {"kind": "qlora", "rank": 4, "alpha": 8.0, "dropout": 0.0, "target": "all-linear", "rslora": False}
    return Qlora(**(fields | changes))


def method(base, **changes):
    return shake(qlora.attach(config(**changes), qlora.load(base, CPU), RandomState(1, "cpu")))


def rounded(base):
    """transformers' model with every linear layer as four bits leave it."""
    model = base.load_model(torch.float32, "cpu")
    with torch.no_grad():
        for layer in lora.linear_layers(model).values():
            packed = nf4.quantize(layer.weight)
            layer.weight.copy_(nf4.dequantize(packed, layer.weight.shape, torch.float32))
    return model


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 700),
    spread=st.floats(1e-6, 1e3),
    seed=st.integers(0, 99),
)
def test_nf4_gives_the_nearest_level_of_each_block(rows, columns, spread, seed):
    values = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * spread
    found = nf4.dequantize(nf4.quantize(values), values.shape, torch.float32)
    size = rows * columns
    blocks = np.pad(values.numpy().reshape(-1), (0, -size % 64)).reshape(-1, 64)
    largest = np.abs(blocks).max(1)
    levels = nf4.LEVELS.numpy()
    nearest = levels[np.abs(blocks[:, :, None] / largest[:, None, None] - levels).argmin(-1)] * largest[:, None]
    # Scales are rounded by up to 0.9/128 of how far they are from their mean at most
    slack = np.abs(largest - largest.mean()).max() * 0.9 / 128 + 1e-5 * largest.max()
    found = np.pad(found.numpy().reshape(-1), (0, -size % 64)).reshape(-1, 64)
    assert np.abs(found - nearest).max() <= slack


def test_nf4_keeps_zeros_and_takes_little_room():
    packed = nf4.quantize(torch.zeros(64, 64))
    assert not nf4.dequantize(packed, torch.Size((64, 64)), torch.float32).any()
    packed = nf4.quantize(torch.randn(1024, 1024))
    held = sum(part.numel() * part.element_size() for part in (packed.codes, packed.scales, packed.reach))
    assert held * 8 / 1024**2 == pytest.approx(4.127, abs=0.001)


def test_nf4_is_that_of_bitsandbytes():
    functional = pytest.importorskip("bitsandbytes.functional")
    values = torch.randn(200, 128, generator=torch.Generator().manual_seed(4))
    state = functional.quantize_4bit(values, quant_type="nf4", blocksize=64, compress_statistics=False)
    assert torch.equal(nf4.quantize(values).codes, state[0].view(-1))
    theirs = functional.dequantize_4bit(*state)
    assert torch.equal(nf4.look_up(state[0].view(-1), state[1].absmax, torch.float32).view(200, 128), theirs)
    assert nf4.kernel_name("cpu").startswith("bitsandbytes 0.")
    packed = nf4.quantize(values)
    by_table = nf4.look_up(packed.codes, nf4.decoded_scales(packed), torch.float32).view(200, 128)
    assert torch.equal(nf4.dequantize(packed, values.shape, torch.float32), by_table)
    twice = functional.quantize_4bit(values, quant_type="nf4", blocksize=64, compress_statistics=True)
    # A scale half-way between two levels may fall to either side
    apart = (by_table - functional.dequantize_4bit(*twice)).abs()
    assert (apart > 1e-6).float().mean() < 0.02
    assert apart.max() < 0.02


def test_nf4_never_turns_a_sign():
    for outliers in range(1, 40, 3):
        values = torch.randn(300 * 64, generator=torch.Generator().manual_seed(outliers)) * 1e-3
        values[: outliers * 64 : 64] = 10
        found = nf4.dequantize(nf4.quantize(values), values.shape, torch.float32)
        assert (found * values >= 0).all()


def test_nf4_works_without_bitsandbytes(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bitsandbytes", None)
    nf4.bitsandbytes_kernel.cache_clear()
    try:
        assert nf4.kernel_name("cpu") == "torch"
        values = torch.randn(64, 64)
        found = nf4.dequantize(nf4.quantize(values), values.shape, torch.bfloat16)
        assert found.dtype == torch.bfloat16
        assert (found.float() - values).norm() < 0.1 * values.norm()
    finally:
        nf4.bitsandbytes_kernel.cache_clear()


def test_qlora_answers_as_the_base_until_it_is_trained(base):
    with torch.no_grad():
        wanted = base.load_model(torch.float32, "cpu")(IDS).logits
        assert torch.equal(qlora.load(base, CPU)(IDS).logits, wanted)


@pytest.mark.parametrize("free", [1 << 30, 100_000, 0, None])
def test_qlora_reads_originals_once_while_answers_are_computed_as_far_as_they_fit(base, free, monkeypatch):
    model = qlora.load(base, CPU)
    layers = [layer for layer in model.modules() if isinstance(layer, FourBitLinear)]
    reads, read = [], Weights.read
    monkeypatch.setattr(Weights, "read", lambda self, name: reads.append(name) or read(self, name))
    monkeypatch.setattr(four_bit, "free_bytes", lambda device: free)
    with torch.no_grad():
        wanted = model(IDS).logits
        assert len(reads) == len(layers)
        reads.clear()
        with four_bit.originals_held(model):
            assert all(torch.equal(model(IDS).logits, wanted) for _ in range(3))
            held = [layer for layer in layers if layer.kept is not None]
            size = sum(layer.kept.numel() * layer.kept.element_size() for layer in held)
    assert size <= (free or 0) / 2
    assert len(held) == {1 << 30: len(layers), 100_000: len(held), 0: 0, None: 0}[free]
    assert 0 < len(held) < len(layers) or free != 100_000
    assert len(reads) == len(held) + 3 * (len(layers) - len(held))
    assert all(layer.kept is None for layer in layers)
    reads.clear()
    with torch.no_grad(), four_bit.originals_held(model.train()):
        model(IDS)
    assert reads == [], "training uses the four bits"


def test_qlora_holds_no_linear_weight(base):
    ours = method(base)
    layers = [layer for layer in ours.causal.modules() if isinstance(layer, FourBitLinear)]
    assert len(layers) == 14
    assert all(layer.weight.numel() == 0 for layer in layers)
    whole = {tuple(layer.weight.shape) for layer in lora.linear_layers(base.load_model(torch.float32, "cpu")).values()}
    held = [*ours.model.parameters(), *ours.model.buffers()]
    assert not any(tuple(tensor.shape) in whole and tensor.is_floating_point() for tensor in held)
    assert not any(tensor.is_meta for tensor in held)


@pytest.mark.parametrize("target", ["all-linear", ["q_proj", "down_proj"]])
def test_qlora_trains_over_the_rounded_base(base, target):
    ours = method(base, target=target)
    ours.model.train()
    reference = lora.attach(config(target=target), rounded(base), RandomState(1, "cpu"))
    for layer in reference.layers.values():
        del layer.forward  # PEFT's own computes
    for name, tensor in reference.parameters().items():
        tensor.data.copy_(ours.parameters()[name])
    gradients = []
    for trained in (ours, reference):
        loss = trained.model(input_ids=IDS, labels=IDS).loss
        loss.backward()
        gradients.append((loss.item(), {name: tensor.grad for name, tensor in trained.parameters().items()}))
    assert gradients[0][0] == pytest.approx(gradients[1][0], rel=1e-6)
    for name, gradient in gradients[0][1].items():
        torch.testing.assert_close(gradient, gradients[1][1][name], rtol=1e-3, atol=1e-6)
    with torch.no_grad():
        ours.model.eval()
        assert ours.model(input_ids=IDS, labels=IDS).loss.item() != pytest.approx(gradients[0][0], rel=1e-6)


def test_qlora_merges_into_the_base_s_own_values(base):
    ours = method(base)
    ours.model.train()
    plain = base.load_model(torch.float32, "cpu")
    weights = plain.state_dict()
    updates = {name: ours.layers[f"base_model.model.{name.removesuffix('.weight')}"] for name, _ in ours.merged()}
    assert len(updates) == 14
    with torch.no_grad():
        for name, tensor in ours.merged():
            layer = updates[name]
            update = layer.lora_B["default"].weight @ layer.lora_A["default"].weight * layer.scaling["default"]
            torch.testing.assert_close(tensor, weights[name] + update)
            weights[name].copy_(tensor)
        ours.model.eval()
        torch.testing.assert_close(plain(IDS).logits, ours.model(IDS).logits, rtol=1e-4, atol=1e-4)


def test_qlora_trains_low_rank_updates_alone(base):
    ours = method(base)
    assert set(ours.parameters()) == set(lora.attach(config(), rounded(base), RandomState(1, "cpu")).parameters())
    assert FlatParameters(ours.parameters()).values.numel() == sum(
        4 * (layer.in_features + layer.out_features) for layer in ours.layers.values()
    )


def test_qlora_reads_every_type_as_it_is_stored(tmp_path):
    from safetensors.torch import save_file

    stored = {
        kind: torch.randn(5, 3).to(getattr(torch, kind)) for kind in ("float64", "float32", "float16", "bfloat16")
    }
    save_file(stored, tmp_path / "model.safetensors")
    file = Weights(tmp_path / "model.safetensors")
    for name, tensor in stored.items():
        found = read_tensor(file, name)
        assert found.dtype == tensor.dtype
        assert torch.equal(found, tensor)


def test_qlora_refuses_a_base_whose_tensors_have_other_names(base, tmp_path, monkeypatch):
    entries = Weights(base.dir / "model.safetensors").entries
    name = "model.layers.1.mlp.up_proj.weight"
    monkeypatch.setattr(Weights, "_parse", lambda _: {key: entries[key] for key in entries if key != name})
    with pytest.raises(TrainerError, match=f'four bits: its file has no tensor "{name}"'):
        qlora.load(base, CPU)
