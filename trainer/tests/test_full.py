"""Full fine-tuning: plain autograd's gradients, every tensor in the export."""

import numpy as np
import pytest
import tiny
import torch
import transformers
from safetensors.torch import load_file

from temper_trainer.job.settings import Full
from temper_trainer.methods.full import attach
from temper_trainer.training.head import token_losses
from temper_trainer.training.optim import FlatParameters
from temper_trainer.training.packing import hidden_states, pack, packed_rows
from temper_trainer.training.random_state import RandomState

BASES = [(arch, tied) for arch in ("llama", "qwen2", "qwen3") for tied in (True, False)]
CPU = torch.device("cpu")
ROWS = [[3, 9, 27, 81, 40, 7], [5, 6, 7, 8, 5]]
LABELS = [[0, 0, 1, 1, 0, 1], [0, 1, 0, 1, 1]]


@pytest.fixture(scope="module", params=BASES, ids=lambda base: f"{base[0]}-{'tied' if base[1] else 'untied'}")
def folder(request, tmp_path_factory):
    arch, tied = request.param
    return tiny.make_base(tmp_path_factory.mktemp("base"), arch, tied=tied)


def method(folder):
    return attach(Full("full"), transformers.AutoModelForCausalLM.from_pretrained(folder), RandomState(1, "cpu"))


def plain_loss(model) -> torch.Tensor:
    """The same rows one by one through transformers, all logits kept."""
    total = torch.zeros(())
    for row, labels in zip(ROWS, LABELS, strict=True):
        logits = model(torch.tensor([row])).logits[0, :-1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(row[1:]), reduction="none")
        total = total + (losses * torch.tensor(labels[1:])).sum()
    return total


def test_full_gradients_are_those_of_plain_autograd(folder):
    ours = method(folder)
    flat = FlatParameters(ours.parameters())
    batch = pack([(np.array(row), np.array(labels)) for row, labels in zip(ROWS, LABELS, strict=True)], CPU)
    with packed_rows(ours.causal):
        loss = token_losses(ours.causal, hidden_states(ours.causal, batch)[batch.places], batch.targets).sum()
        loss.backward()
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder)
    reference = plain_loss(plain)
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), rel=1e-5)
    wanted = dict(plain.named_parameters())
    assert flat.named.keys() == wanted.keys()
    for name, tensor in flat.named.items():
        assert tensor.grad.abs().max() > 0, name
        torch.testing.assert_close(tensor.grad, wanted[name].grad, rtol=1e-3, atol=1e-5, msg=name)


def test_full_computes_in_bf16_and_keeps_fp32_weights(folder):
    ours = method(folder)
    batch = pack([(np.array(row), np.array(labels)) for row, labels in zip(ROWS, LABELS, strict=True)], CPU)
    gradients = []
    for precise in (True, False):
        ours.model.zero_grad()
        with packed_rows(ours.causal), torch.autocast("cpu", torch.bfloat16, enabled=not precise):
            hidden = hidden_states(ours.causal, batch)
            losses = token_losses(ours.causal, hidden[batch.places], batch.targets)
        losses.sum().backward()
        gradients.append({name: tensor.grad.clone() for name, tensor in ours.parameters().items()})
    for name, exact in gradients[0].items():
        rounded = gradients[1][name]
        assert rounded.dtype == torch.float32
        assert not torch.equal(rounded, exact)
        assert (rounded - exact).norm() < 0.1 * exact.norm(), name


def test_full_saves_a_folder_that_transformers_loads(folder, tmp_path):
    ours = method(folder)
    with torch.no_grad():
        for tensor in ours.parameters().values():
            tensor.add_(torch.randn_like(tensor) * 0.05)
    ours.save(tmp_path / "weights")
    assert sorted(path.name for path in (tmp_path / "weights").iterdir())[:1] == ["config.json"]
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "weights")
    ids = torch.tensor(ROWS[:1])
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids).logits, ours.model(ids).logits)
    saved = load_file(tmp_path / "weights" / "model.safetensors")
    merged = dict(ours.merged())
    assert saved.keys() == merged.keys() == load_file(folder / "model.safetensors").keys()
    assert all(torch.equal(saved[name], tensor) for name, tensor in merged.items())
    ours.save(tmp_path / "again")
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (tmp_path / "weights" / path.name).read_bytes()
