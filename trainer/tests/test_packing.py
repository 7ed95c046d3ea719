"""Rows laid end to end give what rows in a padded batch give."""

import numpy as np
import pytest
import torch
import transformers

from temper_trainer.training import head as heads
from temper_trainer.training.head import HeadLoss, TrainedHeadLoss, token_losses
from temper_trainer.training.packing import hidden_states, pack, packed_rows, window_mask

CPU = torch.device("cpu")


def some_rows(lengths, vocabulary=300, seed=0):
    random = np.random.default_rng(seed)
    return [
        (random.integers(3, vocabulary, length).astype(np.int32), random.integers(0, 2, length).astype(np.uint8))
        for length in lengths
    ]


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder)


def padded_losses(model, rows):
    """The textbook way: right padding, an attention mask, all logits."""
    width = max(len(tokens) for tokens, _ in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full((len(rows), width), -100)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for i, (tokens, marks) in enumerate(rows):
        ids[i, : len(tokens)] = torch.from_numpy(tokens.astype(np.int64))
        mask[i, : len(tokens)] = 1
        labels[i, : len(tokens)] = torch.where(torch.from_numpy(marks.astype(bool)), ids[i, : len(tokens)], -100)
    logits = model(input_ids=ids, attention_mask=mask).logits
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")


def packed_losses(model, rows):
    with packed_rows(model):
        batch = pack(rows, CPU)
        return token_losses(model, hidden_states(model, batch)[batch.places], batch.targets).sum()


@pytest.mark.parametrize("base", ["tiny_llama", "tiny_qwen2", "tiny_qwen3"])
def test_packed_rows_have_the_loss_and_gradient_of_padded_ones(request, base):
    model = load(request.getfixturevalue(base))
    model.get_output_embeddings().weight.requires_grad_(False)
    rows = some_rows([17, 17, 9, 9, 9, 5, 2, 1])
    watched = model.model.layers[0].self_attn.q_proj.weight
    results = []
    for losses in (padded_losses, packed_losses):
        model.zero_grad()
        loss = losses(model, rows)
        loss.backward()
        results.append((loss.item(), watched.grad.clone()))
    (padded, padded_gradient), (packed, packed_gradient) = results
    assert packed == pytest.approx(padded, rel=1e-5)
    torch.testing.assert_close(packed_gradient, padded_gradient, rtol=1e-3, atol=1e-5)


def test_packed_rows_do_not_see_each_other(tiny_llama):
    model = load(tiny_llama)
    first, second, third = some_rows([6, 6, 4])
    with packed_rows(model), torch.no_grad():
        alone = hidden_states(model, pack([second], CPU))
        among = hidden_states(model, pack([first, second, third], CPU))
    torch.testing.assert_close(among[6:12], alone, rtol=1e-4, atol=1e-5)
    assert model.config._attn_implementation == "sdpa"


def test_packed_rows_keep_a_sliding_window(tiny_qwen2):
    layers = {"use_sliding_window": True, "sliding_window": 4, "layer_types": ["sliding_attention"] * 2}
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_qwen2, **layers)
    (row,) = some_rows([12])
    with torch.no_grad():
        usual = model.model(input_ids=torch.from_numpy(row[0].astype(np.int64))[None]).last_hidden_state[0]
        with packed_rows(model):
            packed = hidden_states(model, pack([row], CPU))
    torch.testing.assert_close(packed, usual, rtol=1e-4, atol=1e-5)
    assert window_mask(4, 2, CPU).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]


def test_pack_leaves_out_first_tokens_and_names_rows():
    batch = pack([(np.array([7, 8, 9]), np.array([1, 0, 1])), (np.array([5, 6]), np.array([1, 1]))], CPU)
    assert batch.places.tolist() == [1, 3]
    assert batch.targets.tolist() == [9, 6]
    assert batch.rows.tolist() == [0, 1]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1]]
    assert batch.segments == [(1, 3), (1, 2)]


@pytest.mark.parametrize("chunk", [1 << 26, 1])
@pytest.mark.parametrize("loss", [HeadLoss, TrainedHeadLoss])
def test_head_loss_is_cross_entropy_in_chunks_of_any_size(monkeypatch, chunk, loss):
    monkeypatch.setattr(heads, "logits_bytes", lambda gpu: chunk)
    torch.manual_seed(0)
    trained = loss is TrainedHeadLoss
    hidden = torch.randn(7, 5, requires_grad=True)
    head = [torch.randn(11, 5, requires_grad=trained), torch.randn(11, requires_grad=trained)]
    targets, share = torch.randint(0, 11, (7,)), torch.rand(7)
    wanted = [hidden, *head] if trained else [hidden]
    found = torch.autograd.grad((loss.apply(hidden, *head, targets) * share).sum(), wanted)
    usual = torch.nn.functional.cross_entropy(hidden @ head[0].T + head[1], targets, reduction="none")
    for ours, theirs in zip(found, torch.autograd.grad((usual * share).sum(), wanted), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(loss.apply(hidden, *head, targets), usual)
