"""AdamW with its moments in 8 bits: what it trains, what it keeps, who may have it."""

import copy
import sys

import pytest
import torch
import transformers
from test_checkpoint import settings

from temper_trainer.errors import TrainerError
from temper_trainer.training import optim
from temper_trainer.training.optim import (
    AdamW8bit,
    FlatParameters,
    check_optimizer,
    make_optimizer,
    optimizer_state,
    restore_optimizer,
)
from temper_trainer.training.workers import Workers

STEPS = 6


@pytest.fixture
def model(tiny_llama):
    return transformers.AutoModelForCausalLM.from_pretrained(tiny_llama)


def optimised(model, optimizer: str):
    flat = FlatParameters(dict(model.named_parameters()))
    return flat, make_optimizer(flat, settings(optimizer=optimizer, learning_rate=1e-3), model)


def train(model, flat, optimizer, steps=STEPS) -> list[float]:
    """The losses of one row, step by step."""
    ids, losses = torch.arange(3, 60)[None], []
    for _ in range(steps):
        flat.gradient.zero_()
        loss = model(ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_8_bits_train_almost_as_32_do(model):
    other = copy.deepcopy(model)
    losses = [train(each, *optimised(each, name)) for each, name in ((model, "adamw"), (other, "adamw_8bit"))]
    assert losses[0][-1] < losses[0][0] - 0.5
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0]


def test_8_bits_hold_a_byte_for_each_moment_but_those_of_embeddings(model):
    flat, optimizer = optimised(model, "adamw_8bit")
    train(model, flat, optimizer, 1)
    embedding = model.get_input_embeddings().weight.numel()
    held = sum(state.numel() * state.element_size() for state in optimizer_state(optimizer, flat).values())
    rest = flat.values.numel() - embedding
    assert held == pytest.approx(8 * embedding + (2 + 8 / 256) * rest, rel=0.01)


@pytest.mark.parametrize("name", ["adamw", "adamw_8bit"])
@pytest.mark.parametrize("done", [0, 3])
def test_an_optimizer_goes_on_where_its_state_was_kept(model, name, done, monkeypatch):
    monkeypatch.setitem(optim.PIECE, "cpu", 1 << 12)  # several pieces, and embeddings between them
    other = copy.deepcopy(model)
    flat, optimizer = optimised(model, name)
    train(model, flat, optimizer, done)
    kept = {key: tensor.clone() for key, tensor in optimizer_state(optimizer, flat).items()}
    values = flat.values.clone()
    wanted = train(model, flat, optimizer)
    flat, optimizer = optimised(other, name)
    with torch.no_grad():
        flat.values.copy_(values)
    restore_optimizer(optimizer, flat, kept | {"parameters": values})
    assert train(other, flat, optimizer) == wanted


def test_8_bits_follow_the_learning_rate_everywhere(model):
    flat, optimizer = optimised(model, "adamw_8bit")
    assert isinstance(optimizer, AdamW8bit)
    before = flat.values.clone()
    optimizer.param_groups[0]["lr"] = 0.0
    train(model, flat, optimizer, 1)
    assert torch.equal(flat.values, before)


def test_8_bits_are_refused_where_no_library_has_them(monkeypatch):
    check_optimizer(settings(optimizer="adamw_8bit"), "cpu", Workers())
    with pytest.raises(TrainerError, match="on mps: bitsandbytes has no kernel"):
        check_optimizer(settings(optimizer="adamw_8bit"), "mps", Workers())
    with pytest.raises(TrainerError, match="with several workers"):
        check_optimizer(settings(optimizer="adamw_8bit"), "cpu", Workers(0, 2))
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    check_optimizer(settings(), "cpu", Workers(0, 2))
    with pytest.raises(TrainerError, match="cannot import bitsandbytes") as refused:
        check_optimizer(settings(optimizer="adamw_8bit"), "cpu", Workers())
    assert refused.value.hint == "Install bitsandbytes 0.50 or newer there, or set train.optimizer to adamw"
