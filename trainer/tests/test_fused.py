"""Fused layers have the losses and gradients of the layers' own computation, for every family and method."""

import pytest
import tiny
import torch
from row_by_row import CPU, JobOf, move, some_rows
from test_ways import FP32, LOW_RANK, METHODS

from temper_trainer.bases.base import prepare_base
from temper_trainer.job.settings import Lora
from temper_trainer.methods import attach, load
from temper_trainer.training.compute import FASTEST, Way, row_losses
from temper_trainer.training.fused import fusible
from temper_trainer.training.fused.form import form_of
from temper_trainer.training.fused.joint import follow
from temper_trainer.training.fused.row_attention import RowAttention
from temper_trainer.training.optim import FlatParameters
from temper_trainer.training.random_state import RandomState
from temper_trainer.training.ways import Longest, choose_ways

OWN = Way("packed", "fast", "own")
FAMILIES = {
    "llama": ("llama", {}),
    "llama with biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "qwen2": ("qwen2", {"tie_word_embeddings": False}),
    "qwen3": ("qwen3", {}),
    "mistral with windows": ("mistral", {"sliding_window": 8}),
}
SOME = {"some layers": Lora(kind="lora", **LOW_RANK | {"target": ["q_proj", "v_proj", "up_proj"]})}
NO_PREFIX = [("mistral with windows", "input"), ("mistral with windows", "layers")]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    made = {}

    def get(name: str):
        if name not in made:
            work, (arch, config) = tmp_path_factory.mktemp("base"), FAMILIES[name]
            folder = tiny.make_base(work / "hf", arch, tied=config.pop("tie_word_embeddings", True), **config)
            made[name] = prepare_base(tiny.folder_base(folder), work / "cache", lambda *_: None)
        return made[name]

    return get


def attached(base, config):
    job = JobOf(config)
    method = attach(job, load(job, base, FP32), RandomState(1, "cpu"), lambda text: [9, 40, 7])
    move(method)
    method.model.train()
    return method


def computed(method, way, rows, mixed=False):
    named = method.parameters()
    with way.on(method.causal):
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            losses, _ = row_losses(method, rows, way, CPU)
        return losses.detach(), torch.autograd.grad(losses.sum(), list(named.values()))


def compare(method, rows=None):
    rows = rows or list(some_rows())
    (own, expected), (fused, found) = (computed(method, way, rows) for way in (OWN, FASTEST))
    torch.testing.assert_close(fused, own, rtol=1e-6, atol=0)
    found, expected = (torch.cat([gradient.flatten() for gradient in part]) for part in (found, expected))
    assert (found - expected).norm() <= 1e-6 * expected.norm()


@pytest.mark.parametrize("kind", [*METHODS, *SOME])
@pytest.mark.parametrize("name", FAMILIES)
def test_fused_layers_have_the_losses_and_gradients_of_their_own(base, name, kind):
    if (name, kind) in NO_PREFIX:
        pytest.skip("a prefix is refused where windows slide")
    method = attached(base(name), (METHODS | SOME)[kind])
    assert all(form_of(layer) for layer in method.causal.get_decoder().layers)
    compare(method)


def test_weights_that_are_trained_in_one_flat_tensor_stay_there(base):
    method = attached(base("llama"), METHODS["full"])
    flat = FlatParameters(method.parameters())
    compare(method)
    gate = method.causal.model.layers[0].mlp.gate_proj.weight
    with torch.no_grad():
        flat.values.mul_(1.01)
    assert gate.data_ptr() >= flat.values.data_ptr() and gate.untyped_storage().data_ptr() == flat.values.data_ptr()
    compare(method)


def test_frozen_weights_lie_side_by_side_and_are_what_they_were(base):
    method = attached(base("qwen2"), METHODS["lora"])
    method.causal.bfloat16()
    before = {name: tensor.clone() for name, tensor in method.causal.state_dict().items()}
    (own, _), (fused, _) = (computed(method, way, list(some_rows())) for way in (OWN, FASTEST))
    torch.testing.assert_close(fused, own, rtol=0, atol=0.05)
    after = method.causal.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    attention = method.causal.model.layers[1].self_attn
    assert follow([layer.base_layer.weight for layer in (attention.q_proj, attention.k_proj, attention.v_proj)])


def test_dropout_masks_are_drawn_once_for_each_input(base, monkeypatch):
    """The same masks in both computations: those of q, k and v are one, and so are those of gate and up."""
    method = attached(base("llama"), Lora(kind="lora", **LOW_RANK | {"dropout": 0.25}))
    rows = list(some_rows())
    tokens = sum(len(row) for row, _ in rows)
    generator = torch.Generator().manual_seed(5)
    drawn = [[torch.rand(tokens, width, generator=generator) >= 0.25 for width in (64, 64, 64, 128)] for _ in range(2)]
    fused = iter([torch.cat(masks, dim=1) for masks in drawn])
    own = iter([masks[place] for masks in drawn for place in (0, 0, 0, 1, 2, 2, 3)])
    for_layers = {layer.self_attn.q_proj.update.random for layer in method.causal.model.layers}
    (random,) = for_layers

    def draw(shape, dropped):
        mask = next(fused if shape[1] == 64 + 64 + 64 + 128 else own)
        assert dropped == 0.25 and mask.shape == shape
        return mask, 0.75

    monkeypatch.setattr(random, "dropout_mask", draw)
    compare(method, rows)
    assert next(fused, None) is None and next(own, None) is None


def test_layers_answer_without_their_updates_while_these_are_off(base):
    method = attached(base("llama"), METHODS["lora"])
    with torch.no_grad(), method.off():
        own, fused = (run(method, way) for way in (OWN, FASTEST))
    assert torch.equal(own, fused)
    with torch.no_grad():
        assert not torch.allclose(run(method, FASTEST), own)


def run(method, way):
    with way.on(method.causal):
        return row_losses(method, list(some_rows()), way, CPU)[0]


def test_bf16_products_are_those_of_mixed_precision(base):
    method = attached(base("llama"), METHODS["full"])
    (own, expected), (fused, found) = (computed(method, way, list(some_rows()), mixed=True) for way in (OWN, FASTEST))
    torch.testing.assert_close(fused, own, rtol=0, atol=0.05)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, rtol=0.1, atol=0.05 * theirs.abs().max().item())


def test_a_layer_of_another_class_keeps_its_own_forward(base):
    method = attached(base("llama"), METHODS["lora"])
    first, second = method.causal.model.layers
    second.mlp.__class__ = type(
        "Other", (type(second.mlp),), {"forward": lambda mlp, x: 2 * type(mlp).__mro__[1].forward(mlp, x)}
    )
    assert form_of(first) and not form_of(second) and fusible(method.causal)
    compare(method)


def test_fused_layers_that_compute_something_else_are_not_taken(base, monkeypatch):
    method = attached(base("llama"), METHODS["lora"])
    usual = torch.nn.functional.silu
    monkeypatch.setattr("temper_trainer.training.fused.elementwise.silu", lambda x: usual(x) * 1.5)
    found, notes = choose_ways(method, some_rows(), Longest(40, 48), False)
    assert found.train == OWN
    assert notes[0].startswith(
        "Training is slower with this base (packed rows, the fast head, the model's own layers), because the fastest "
        "way is not exact: it would change losses by"
    )


@pytest.mark.parametrize("segments", [((2, 41), (1, 37), (3, 12)), ((1, 300), (2, 140), (1, 5)), ((4, 1),)])
def test_attention_of_rows_is_that_of_each_row_alone(segments):
    generator = torch.Generator().manual_seed(2)
    joint = torch.randn(sum(count * length for count, length in segments), 6 + 2 * 2, 16, generator=generator)
    results = []
    for attend in (
        lambda joint: RowAttention.apply(segments, (6, 2), 0.3, joint),
        lambda joint: alone(joint, segments),
    ):
        given = joint.clone().requires_grad_()
        found = attend(given)
        weights = torch.linspace(-1, 1, found.numel()).view(found.shape)
        results.append((found.detach(), *torch.autograd.grad((found * weights).sum(), given)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def alone(joint, segments):
    found, start = [], 0
    for length in [length for count, length in segments for _ in range(count)]:
        q, k, v = joint[start : start + length].transpose(0, 1).split([6, 2, 2])
        k, v = k.repeat_interleave(3, 0), v.repeat_interleave(3, 0)
        attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3)
        found.append(attended.transpose(0, 1).flatten(1))
        start += length
    return torch.cat(found)
