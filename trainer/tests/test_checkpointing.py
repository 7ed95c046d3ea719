"""Activation checkpointing: the same losses and gradients, with less kept."""

from contextlib import nullcontext

import pytest
import tiny
import torch
import transformers
from row_by_row import CPU, JobOf, move, some_rows

from temper_trainer.bases.base import prepare_base
from temper_trainer.errors import Unfit
from temper_trainer.job.settings import Adapter, Full, Lora, Prefix, Qlora
from temper_trainer.methods import attach, load
from temper_trainer.training.checkpointing import checkpointed, decoder_layers
from temper_trainer.training.compute import Way, row_losses
from temper_trainer.training.device import Environment
from temper_trainer.training.random_state import RandomState

LOW_RANK = {"rank": 4, "alpha": 8.0, "dropout": 0.3, "target": "all-linear", "rslora": False}
METHODS = [
    Full("full"),
    Lora(kind="lora", **LOW_RANK),
    Qlora(kind="qlora", **LOW_RANK),
    Prefix("prefix", 5, "input", None),
    Prefix("prefix", 5, "layers", None),
    Adapter("adapter", 32),
]
WAYS = [Way("packed", "fast", "fused"), Way("packed", "fast"), Way("padded", "own"), Way("alone", "whole")]


@pytest.fixture(scope="module")
def base(tiny_llama, tmp_path_factory):
    return prepare_base(tiny.folder_base(tiny_llama), tmp_path_factory.mktemp("cache"), lambda *_: None)


@pytest.fixture(params=METHODS, ids=lambda method: getattr(method, "placement", method.kind))
def trained(request, base):
    random = RandomState(1, "cpu")
    job = JobOf(request.param)
    method = attach(job, load(job, base, Environment("", "cpu", "fp32", 1)), random, lambda _: [])
    move(method)
    method.model.train()
    return method, random


def gradients(method, way, layers=nullcontext) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Losses, and the gradients of their sum, of all rows: two micro-batches or more."""
    table, losses = some_rows(), []
    named = [tensor for tensor in method.parameters().values() if tensor.requires_grad]
    found = [torch.zeros_like(tensor) for tensor in named]
    with way.on(method.causal), layers():
        for batch in way.batches(table.lengths, 80):
            loss, _ = row_losses(method, [table[place] for place in batch], way, CPU)
            losses.append(loss.detach())
            for total, part in zip(found, torch.autograd.grad(loss.sum(), named, allow_unused=True), strict=True):
                if part is not None:
                    total += part
    return losses, found


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_gradients_are_those_without_checkpointing(trained, way):
    method, random = trained
    before = random.tensors(), random.numbers()
    losses, wanted = gradients(method, way)
    after = random.numbers()
    random.restore(*before)
    found = gradients(method, way, lambda: checkpointed(method.causal, random))
    scale = max(gradient.abs().max() for gradient in wanted)
    assert scale > 0
    apart = max((a - b).abs().max() for a, b in zip(found[1], wanted, strict=True))
    assert apart <= 1e-6 * scale
    torch.testing.assert_close(found[0], losses, rtol=1e-6, atol=1e-6)
    assert random.numbers() == after, "recomputing uses up no random numbers"


def test_a_layer_keeps_its_input_alone(tiny_llama):
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)
    ids, kept = torch.arange(3, 40)[None], []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel())
        return tensor

    sizes = []
    for layers in (model, None):
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            if layers is not None:
                model.get_decoder()(ids)
            else:
                with checkpointed(model, RandomState(1, "cpu")):
                    model.get_decoder()(ids)
        sizes.append(sum(kept))
    assert sizes[1] < sizes[0] / 5
    assert "forward" not in vars(decoder_layers(model)[0])


def test_checkpointing_keeps_forwards_that_others_installed(tiny_llama):
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)
    layer = decoder_layers(model)[0]
    usual, calls = layer.forward, []
    layer.forward = installed = lambda *inputs, **others: calls.append(1) or usual(*inputs, **others)
    with checkpointed(model, RandomState(1, "cpu")):
        model(torch.arange(3, 9)[None]).logits.sum().backward()
    assert len(calls) == 2
    assert layer.forward is installed


def test_a_model_without_marked_layers_does_not_fit():
    class Bare(torch.nn.Linear):
        def get_decoder(self):
            return self

    with pytest.raises(Unfit, match="none of its layers"):
        decoder_layers(Bare(1, 1))


def test_repeated_dropout_draws_the_same_mask():
    random = RandomState(3, "cpu")
    random.begin(1, [4, 2], [3, 2])
    first, again = random.repeats()
    with first:
        masks = [random.dropout_mask(torch.Size((5, 7)), 0.5)[0], torch.rand(3)]
    after = random.numbers()
    with again:
        repeated = [random.dropout_mask(torch.Size((5, 7)), 0.5)[0], torch.rand(3)]
    assert all(torch.equal(a, b) for a, b in zip(masks, repeated, strict=True))
    assert random.numbers() == after
