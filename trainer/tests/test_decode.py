"""Greedy decoding in batches is what it would be row by row."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from temper_trainer.eval.decode import Row, common_prefix, greedy, plan_batches

PREFIX = [5, 9, 30, 31, 7, 90, 17]
PROMPTS = [[*PREFIX, *range(40 + i, 43 + i + (i * 7) % 5)] for i in range(9)]


@pytest.fixture(scope="module", params=["llama", "qwen2", "qwen3"])
def model(request):
    return AutoModelForCausalLM.from_pretrained(request.getfixturevalue(f"tiny_{request.param}")).eval()


def alone(model, prompt, stop, limit):
    """Without cache, batch or padding: the definition of greedy decoding."""
    answer = []
    while len(answer) < limit and not (answer and answer[-1] in stop):
        with torch.inference_mode():
            answer.append(model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0, -1].argmax().item())
    return answer


def some_stop(model):
    """A token that ends some of the answers, not all of them, at different places."""
    answers = [alone(model, prompt, set(), 12) for prompt in PROMPTS]
    tokens = {token for answer in answers for token in answer[1:-1]}
    return {max(tokens, key=lambda token: (sum(token in answer for answer in answers) % len(answers), token))}


def test_greedy_equals_decoding_each_row_alone(model):
    stop = some_stop(model)
    expected = [alone(model, prompt, stop, 12) for prompt in PROMPTS]
    assert len({len(answer) for answer in expected}) > 1
    for budget in (1, 60, 10_000):
        assert greedy(model, PROMPTS, stop, 12, token_budget=budget) == expected
    different = [prompt[i % 3 :] for i, prompt in enumerate(PROMPTS)]
    assert greedy(model, different, stop, 12) == [alone(model, prompt, stop, 12) for prompt in different]


def test_greedy_continues_answers_that_have_begun(model):
    stop = some_stop(model)
    expected = [alone(model, prompt, stop, 12) for prompt in PROMPTS]
    begun = [answer[: i % 4] for i, answer in enumerate(expected)]
    assert greedy(model, PROMPTS, stop, 12, begun=begun) == expected
    assert greedy(model, PROMPTS, stop, 12, begun=expected) == expected
    assert greedy(model, PROMPTS, stop, 2, begun=expected) == [answer[:2] for answer in expected]


def test_greedy_ends_an_answer_that_has_begun_at_its_first_stop_token(tiny_llama):
    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    assert greedy(model, [[1, 2]], {9}, 8, begun=[[4, 9, 5]]) == [[4, 9]]


def test_greedy_works_with_an_adapter_and_in_bf16(tiny_llama):
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(tiny_llama)
    plain = greedy(base, PROMPTS, set(), 8)
    adapted = get_peft_model(base, LoraConfig(target_modules="all-linear", init_lora_weights=False)).eval()
    answers = greedy(adapted, PROMPTS, set(), 8)
    assert answers == [alone(adapted, prompt, set(), 8) for prompt in PROMPTS]
    assert answers != plain
    assert [len(answer) for answer in greedy(adapted.to(torch.bfloat16), PROMPTS, set(), 8)] == [8] * len(PROMPTS)


def test_greedy_stops_at_the_end_of_the_context(tiny_llama):
    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    context = model.config.max_position_embeddings
    answers = greedy(model, [[1] * (context - 2), [1] * context, [1, 2]], set(), 5)
    assert [len(answer) for answer in answers] == [2, 0, 5]


def test_greedy_reports_finished_rows_and_can_be_stopped(tiny_llama):
    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    seen = []
    greedy(model, PROMPTS, set(), 3, token_budget=40, progress=seen.append)
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] == len(PROMPTS)

    def stop(finished):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        greedy(model, PROMPTS, set(), 3, progress=stop)


def test_greedy_accepts_no_prompts(tiny_llama):
    assert greedy(AutoModelForCausalLM.from_pretrained(tiny_llama), [], set(), 3) == []


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=30), st.integers(1, 200))
def test_plan_batches_keeps_every_row_within_the_budget(shapes, budget):
    rows = [Row([1] * length, limit=limit) for length, limit in shapes]
    batches = plan_batches(rows, budget)
    assert sorted(map(id, (row for batch in batches for row in batch))) == sorted(map(id, rows))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(len(row.prompt) + row.limit for row in batch) <= budget


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=6))
def test_common_prefix_is_shared_by_all_and_leaves_a_token(sequences):
    length = common_prefix(sequences)
    assert len({tuple(sequence[:length]) for sequence in sequences}) == 1
    assert all(len(sequence) > length for sequence in sequences)
    longer = {tuple(sequence[: length + 1]) for sequence in sequences}
    assert len(longer) > 1 or min(map(len, sequences)) == length + 1
