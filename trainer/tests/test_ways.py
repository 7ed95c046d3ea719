"""The way that is taken gives what the whole model gives, for every method; others are not taken."""

import architectures
import numpy as np
import pytest
import tiny
import torch
from row_by_row import CPU, JobOf, chosen, distances, move, some_rows, whole_loss
from transformers import AutoModelForCausalLM

from temper_trainer.bases.base import prepare_base
from temper_trainer.errors import TrainerError, Unfit
from temper_trainer.eval import decode
from temper_trainer.eval.scoring import score_rows
from temper_trainer.export.merge_check import check_merge_values, check_merged
from temper_trainer.job.settings import Adapter, Full, Lora, Prefix, Qlora
from temper_trainer.methods import attach, load
from temper_trainer.training import check_ways, compute, ways
from temper_trainer.training.device import Environment
from temper_trainer.training.head import own_logits
from temper_trainer.training.packing import row_attention
from temper_trainer.training.random_state import RandomState
from temper_trainer.training.ways import Longest, choose_ways

FP32 = Environment("", "cpu", "fp32", 1)
LOW_RANK = tiny.LOW_RANK | {"alpha": 8.0, "dropout": 0.0}
METHODS = {
    "full": Full("full"),
    "lora": Lora(kind="lora", **LOW_RANK),
    "qlora": Qlora(kind="qlora", **LOW_RANK),
    "adapter": Adapter("adapter", 32),
    "input": Prefix("prefix", 5, "input", "a"),
    "layers": Prefix("prefix", 5, "layers", "a"),
}
SOME, MORE = ["llama", "cohere", "lfm2"], ["granite", "gemma2", "gpt-oss", "stablelm", "falcon", "phi3 longrope"]
BASES = [*SOME, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)]
REFUSED = {
    **{(base, kind): "prefix on this base" for base in ("gemma2", "gpt-oss", "lfm2") for kind in ("input", "layers")},
    **{("phi3 longrope", kind): "longer than 32 tokens" for kind in ("input", "layers")},
    **{(base, "adapter"): "beside the MLP" for base in ("gpt-oss", "lfm2", "falcon", "phi3 longrope")},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    made = {}

    def get(name: str):
        if name not in made:
            work = tmp_path_factory.mktemp("base")
            folder = architectures.make(name, work / "hf")
            made[name] = prepare_base(tiny.folder_base(folder), work / "cache", lambda *_: None)
        return made[name]

    return get


def attached(base, kind: str):
    job = JobOf(METHODS[kind])
    return attach(job, load(job, base, FP32), RandomState(1, "cpu"), lambda text: [9, 40, 7])


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("name", BASES)
def test_a_method_has_the_losses_and_gradients_of_the_whole_model(base, name, kind):
    table = some_rows()

    def prepared():
        method = attached(base(name), kind)
        return method, chosen(method, table)

    if (name, kind) in REFUSED:
        with pytest.raises(TrainerError, match=REFUSED[name, kind]):
            prepared()
        return
    method, found = prepared()
    check_merge_values(base(name), method)
    move(method)
    method.model.train()  # qlora computes with four bits then
    loss, gradient = distances(method, table, found.train)
    assert loss < 2e-5 and gradient < 1e-5
    method.model.eval()
    with torch.no_grad():
        expected = [whole_loss(method.causal, method.arguments, row).sum().item() for row in table]

    class Rows:
        def lengths(self, rows):
            return np.array(table.lengths)[rows]

        def row(self, index):
            return table[index]

        def __len__(self):
            return len(table)

    scores = score_rows(method.model, Rows(), 64, past=method.past(), way=found.score)
    assert [score.nll for score in scores] == pytest.approx(expected, abs=1e-4)
    check_merged(method, table)


def test_ways_are_the_fastest_where_nothing_speaks_against_them(base):
    found, notes = choose_ways(attached(base("llama"), "lora"), some_rows(), Longest(40, 48), True)
    assert found == ways.Ways() and notes == []
    assert found.as_json() == {
        "train": {"rows": "packed", "head": "fast", "layers": "fused"},
        "score": {"rows": "padded", "head": "fast"},
        "answer": "batched",
    }


@pytest.mark.parametrize(
    "name, expected, reason",
    [
        ("cohere", "packed own", "would change losses by"),
        ("gemma2", "padded own", "its attention also takes softcap"),
        ("gpt-oss", "padded fast", "its attention also takes s_aux"),
        ("stablelm", "padded fast", "its attention ignores where rows start"),
        ("lfm2", "padded fast", "would change losses by"),
        ("phi3 longrope", "alone fast", "rows longer than 32 tokens are read with other frequencies"),
    ],
)
def test_a_slower_way_says_why(base, name, expected, reason):
    found, notes = choose_ways(attached(base(name), "full"), some_rows(), Longest(40, 48), True)
    assert f"{found.train.rows} {found.train.head}" == expected
    assert reason in notes[0] and notes[0].startswith(f"Training is slower with this base ({found.train})")


def test_rounding_hides_no_leak_and_no_change_of_logits(base):
    for name, reason in (("lfm2", "depend on the row before"), ("gemma4 cap", "changes its logits")):
        method = attached(base(name), "full")
        method.causal.bfloat16()
        check = check_ways.Check(method, check_ways.check_rows(some_rows(), 40, [8]))
        assert not check.exact
        with check.answering():
            assert reason in check.rounded(compute.FASTEST)
    method = attached(base("llama"), "full")
    method.causal.bfloat16()
    assert choose_ways(method, some_rows(), Longest(40, 48), True) == (ways.Ways(), [])


def test_rows_within_the_first_context_of_longrope_are_packed(base):
    found, notes = choose_ways(attached(base("phi3 longrope"), "full"), some_rows(), Longest(20, 32), True)
    assert found == ways.Ways() and notes == []


def test_check_rows_reach_beyond_windows_that_rows_of_the_job_reach_beyond():
    sizes = [
        [len(tokens) for tokens, _ in check_ways.check_rows(some_rows(), 40, windows)] for windows in ([], [8], [50])
    ]
    assert sizes == [[12, 9], [12, 9, 17], [12, 9]]
    first, second, *_ = (tokens for tokens, _ in check_ways.check_rows(some_rows(), 40, []))
    assert first[:4].tolist() == second[:4].tolist() and first[4:9].tolist() != second[4:9].tolist()


@pytest.mark.parametrize("extra", ["s_aux", "softcap", "position_bias", "anything"])
def test_row_attention_refuses_what_it_does_not_compute(extra):
    q = torch.randn(1, 2, 5, 4)
    module = torch.nn.Module()
    rows = {"segments": [(1, 5)], "position_ids": torch.arange(5)[None], "use_cache": False}
    assert row_attention(module, q, q, q, None, **rows, **{extra: None})[0].shape == (1, 5, 2, 4)
    with pytest.raises(Unfit, match=extra):
        row_attention(module, q, q, q, None, **rows, **{extra: torch.ones(2)})
    with pytest.raises(Unfit, match="where rows start"):
        row_attention(module, q, q, q, None)
    with pytest.raises(Unfit, match="mask"):
        row_attention(module, q, q, q, torch.zeros(5, 5), **rows)
    module.is_causal = False
    with pytest.raises(Unfit, match="not causal"):
        row_attention(module, q, q, q, None, **rows)


def test_own_logits_are_those_of_the_whole_model_and_leave_it_as_it_was(base):
    model = AutoModelForCausalLM.from_pretrained(base("cohere").dir).eval()
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        expected = model(input_ids=ids).logits[0]
        found = own_logits(model, model.get_decoder()(input_ids=ids).last_hidden_state[0])
        assert torch.equal(found, expected) and torch.equal(model(input_ids=ids).logits[0], expected)


def test_a_base_that_reads_ahead_is_refused(base):
    with pytest.raises(TrainerError, match=r'"bert": .*not a causal language model$'):
        chosen(attached(base("bert both ways"), "full"), some_rows())


def test_a_layer_whose_weight_is_read_without_calling_it_is_refused_with_the_others_named(base):
    method = attached(base("jamba"), "lora")
    with pytest.raises(TrainerError, match="dt_proj") as error:
        chosen(method, some_rows())
    assert "in_proj" in error.value.hint and "dt_proj" not in error.value.hint


def test_a_merge_that_gives_something_else_is_refused(base):
    method = attached(base("llama"), "lora")
    move(method)
    check_merged(method, some_rows())
    name = next(iter(method.layers))
    usual = method.merged
    method.merged = lambda: ((n, t * 1.01 if n in f"{name}.weight" else t) for n, t in usual())
    with pytest.raises(TrainerError, match=r"Cannot export: merging .* by \d"):
        check_merged(method, some_rows())


def test_tensors_that_the_file_holds_in_another_form_cannot_be_merged(base):
    with pytest.raises(TrainerError, match=r'has no tensor "model\.layers\.0\.'):
        check_merge_values(base("mixtral"), attached(base("mixtral"), "full"))
    method = attached(base("llama"), "full")
    with torch.no_grad():
        method.parameters()["model.layers.0.self_attn.q_proj.weight"].mul_(2)
    with pytest.raises(TrainerError, match=r'"model\.layers\.0\.self_attn\.q_proj\.weight" has different values'):
        check_merge_values(base("llama"), method)


@pytest.mark.parametrize("way", [decode.TOGETHER, decode.ALONE, decode.UNCACHED, decode.Way(together=False, turn=9)])
@pytest.mark.parametrize("name", ["llama", "mistral windows"])
def test_every_way_of_answering_gives_the_same_answers(base, name, way):
    model = AutoModelForCausalLM.from_pretrained(base(name).dir).eval()
    prompts = [[5, 9, 30, 31, 7, *range(40 + i, 43 + i + i % 3)] for i in range(5)]

    def alone(prompt):
        answer = []
        while len(answer) < 6 and 50 not in answer:
            with torch.no_grad():
                answer.append(
                    int(model(input_ids=torch.tensor([prompt + answer]), use_cache=False).logits[0, -1].argmax())
                )
        return answer

    assert decode.greedy(model, prompts, {50}, 6, way=way) == [alone(prompt) for prompt in prompts]


def test_scoring_pads_where_rows_are_read_together_only():
    lengths = [3, 9, 9, 4]
    assert compute.SCORING.batches(lengths, 20) == [[1, 2], [3, 0]]
    assert compute.Way("alone", "own").batches(lengths, 20) == [[1], [2], [3], [0]]
    assert compute.pad([(np.array([7, 8, 9]), np.array([1, 1, 1]))], CPU).place.tolist() == [1, 2]
