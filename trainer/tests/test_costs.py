"""What a training computes: the vectors that both languages share, and what PyTorch counts."""

import json
from pathlib import Path

import pytest
import torch
import transformers
from pydantic import TypeAdapter
from torch.utils.flop_counter import FlopCounterMode

from temper_trainer.job import settings
from temper_trainer.methods import adapter, full, lora
from temper_trainer.training.costs import (
    Batch,
    Shape,
    Work,
    activation_bytes,
    head_bytes,
    trained_bytes,
    training_flops,
)
from temper_trainer.training.random_state import RandomState

VECTORS = json.loads((Path(__file__).parents[2] / "tests" / "fixtures" / "training_costs.json").read_text())
LOW_RANK = {"rank": 4, "alpha": 8.0, "dropout": 0.0, "target": "all-linear", "rslora": False}
METHODS = {
    full: settings.Full("full"),
    lora: settings.Lora(kind="lora", **LOW_RANK),
    adapter: settings.Adapter("adapter", 32),
}


@pytest.mark.parametrize("case", VECTORS["trainings"], ids=lambda case: f"{case['shape']}-{case['method']['kind']}")
def test_flops_are_those_of_the_other_language(case):
    method = TypeAdapter(settings.Method).validate_json(json.dumps(case["method"]))
    shape = Shape.of(VECTORS["shapes"][case["shape"]])
    assert training_flops(shape, method, Work(**case["work"])) == case["flops"]


@pytest.mark.parametrize("case", VECTORS["memory"], ids=lambda case: f"{case['shape']}-{case['method']['kind']}")
def test_memory_is_that_of_the_other_language(case):
    method = TypeAdapter(settings.Method).validate_json(json.dumps(case["method"]))
    base = VECTORS["shapes"][case["shape"]]
    shape, batch = Shape.of(base), Batch(**case["batch"])
    activations = activation_bytes(shape, method, batch, case["checkpointing"])
    assert activations == pytest.approx(case["activations"], rel=1e-9)
    assert head_bytes(shape, method, batch) == case["logits"]
    trained = trained_bytes(shape, method, base["parameters"], case["optimizer"])
    assert trained == pytest.approx(case["trained"], rel=1e-9)


@pytest.mark.parametrize("module", METHODS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_flops_are_what_pytorch_counts(tiny_llama, module):
    """In a model that attends to everything and computes the loss of every token."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama, attn_implementation="eager")
    method, tokens = METHODS[module], 37
    trained = module.attach(method, model, RandomState(1, "cpu"), None)
    for layer in trained.layers.values() if module is lora else ():
        del layer.forward  # PyTorch does not count products that add in place: PEFT's own forward computes
    trained.model.train()
    # As if something were trained before the first layer: its inputs have gradients like those of the others
    inputs = model.get_input_embeddings()(torch.arange(3, 3 + tokens)[None]).detach().requires_grad_()
    with FlopCounterMode(display=False) as counter:
        trained.model(inputs_embeds=inputs).logits.sum().backward()
    config = model.config
    shape = Shape(config.num_hidden_layers, config.hidden_size, config.intermediate_size, 4, 2, 16, config.vocab_size)
    assert counter.get_total_flops() == training_flops(shape, method, Work(tokens, tokens, tokens * tokens))
