"""Scores of tiny models, held against what transformers says by itself."""

import json
import math
from types import SimpleNamespace

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from temper_trainer.data.encoder import Encoder
from temper_trainer.data.linear_template import LinearChat, render_prompt
from temper_trainer.data.prepare import prepare
from temper_trainer.errors import TrainerError
from temper_trainer.eval.evaluate import Scores, evaluate, evaluate_few_shot, prompt_of, read_held_out, stop_ids
from temper_trainer.eval.few_shot import choose_examples, few_shot_prompts, few_shot_texts
from temper_trainer.eval.predictions import changes, write_predictions
from temper_trainer.eval.scoring import score_rows
from temper_trainer.job.job import read_job
from temper_trainer.job.settings import FewShot
from temper_trainer.training.batches import padded_batches

TOTAL = 6
CHANGED = {"max_new_tokens": 40, "few_shot": {"instructions": "Explain.", "examples": 1}}


def quiet(*_):
    pass


def make_world(base, folder, **changed):
    """A job with prepared evaluation rows, its model and its encoder."""
    rows = tiny.home_rows(TOTAL, "eval.jsonl")
    tiny.make_job(folder, tiny.folder_base(base), tiny.home_rows(12), rows, **changed)
    job = read_job(folder)
    prepare(job, folder, folder / "cache", quiet)
    encoder = Encoder(Tokenizer.from_file(str(base / "tokenizer.json")), job.templates[0].stop)
    model = AutoModelForCausalLM.from_pretrained(base).eval()
    held_out = read_held_out(job, folder)
    return SimpleNamespace(job=job, dir=folder, encoder=encoder, model=model, held_out=held_out)


@pytest.fixture(scope="module")
def world(tiny_llama, tmp_path_factory):
    return make_world(tiny_llama, tmp_path_factory.mktemp("evaluate"))


def teach(model, held_out, steps=60):
    """Learns the first half of the evaluation rows by heart."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(steps):
        for index in range(TOTAL // 2):
            tokens, labels = (torch.tensor(part).long()[None] for part in held_out.prepared.row(index))
            model(input_ids=tokens, labels=tokens.where(labels.bool(), -100)).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


@pytest.fixture(scope="module")
def taught(tiny_llama, tmp_path_factory):
    world = make_world(tiny_llama, tmp_path_factory.mktemp("taught"), evaluate=CHANGED)
    teach(world.model, world.held_out)
    return world


def run(world, progress=quiet):
    return evaluate(world.model, world.encoder, world.held_out, world.job, progress)


def test_evaluate_loss_equals_that_of_transformers(world):
    total = count = 0
    for index in range(TOTAL):
        tokens, labels = (torch.tensor(part).long()[None] for part in world.held_out.prepared.row(index))
        with torch.inference_mode():
            loss = world.model(input_ids=tokens, labels=tokens.where(labels.bool(), -100)).loss.item()
        total, count = total + loss * int(labels.sum()), count + int(labels.sum())
    scores = run(world)
    assert scores.loss == pytest.approx(total / count, rel=1e-5)
    assert scores.summary()["perplexity"] == pytest.approx(math.exp(total / count), rel=1e-4)


def test_evaluate_answers_equal_those_of_transformers(taught):
    scores = run(taught)
    stops = list(stop_ids(taught.model, taught.encoder))
    for index, text in enumerate(scores.answers):
        tokens, labels = taught.held_out.prepared.row(index)
        prompt = torch.tensor(tokens[: labels.argmax()]).long()[None]
        ids = taught.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=40, do_sample=False, eos_token_id=stops
        )[0, prompt.shape[1] :]
        assert text == taught.encoder.tokenizer.decode(ids.tolist())


def test_evaluate_tells_right_from_wrong(taught):
    scores = run(taught)
    assert scores.right == [True] * 3 + [False] * 3
    assert scores.score == 0.5
    assert scores.answers[:3] == taught.held_out.expected[:3]


def test_evaluate_does_not_depend_on_the_batches(taught):
    for micro_tokens in (16, 100):
        train = SimpleNamespace(**(vars(taught.job.train) | {"micro_tokens": micro_tokens}))
        job = SimpleNamespace(**(vars(taught.job) | {"train": train}))
        scores = evaluate(taught.model, taught.encoder, taught.held_out, job, quiet)
        whole = run(taught)
        assert (scores.answers, scores.right) == (whole.answers, whole.right)
        assert scores.loss == pytest.approx(whole.loss, rel=1e-5)


def test_evaluate_twice_gives_the_same_bits_and_leaves_the_model_as_it_was(taught):
    before = {name: tensor.clone() for name, tensor in taught.model.state_dict().items()}
    taught.model.train()
    first = run(taught)
    assert taught.model.training
    taught.model.eval()
    assert run(taught) == first
    assert not taught.model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in taught.model.state_dict().items())


def test_evaluate_leaves_dropout_out(tiny_llama, tmp_path):
    world = make_world(tiny_llama, tmp_path)
    config = LoraConfig(target_modules="all-linear", lora_dropout=0.9, init_lora_weights=False)
    world.model = get_peft_model(world.model, config).train()
    assert run(world) == run(world)


def test_evaluate_ends_answers_at_the_end_tokens_of_the_base_too(taught):
    plain = run(taught).answers[0]
    comma = taught.encoder.tokenizer.token_to_id(",")
    taught.model.config.eos_token_id = [taught.model.config.eos_token_id, comma]
    try:
        scores = run(taught)
    finally:
        taught.model.config.eos_token_id = taught.model.config.eos_token_id[0]
    assert scores.answers[0] == plain[: plain.index(",")]
    assert scores.right[0] is False


def test_evaluate_reports_rows_and_can_be_stopped(world):
    seen = []
    run(world, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1] == (TOTAL, TOTAL)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(world, stop)


def test_evaluate_measures_only_the_loss_for_metric_none(tiny_llama, tmp_path):
    world = make_world(tiny_llama, tmp_path, evaluate={"metric": "none"})
    seen = []
    scores = run(world, lambda done, total: seen.append((done, total)))
    assert (scores.answers, scores.right, scores.score) == (None, None, None)
    assert scores.summary()["loss"] > 0 and seen[-1] == (TOTAL, TOTAL)
    assert changes(scores, scores) is None


def test_evaluate_names_rows_whose_loss_is_not_finite(tiny_qwen2, tmp_path):
    world = make_world(tiny_qwen2, tmp_path)
    only = set(world.held_out.prepared.row(3)[0]) - set(world.held_out.prepared.row(2)[0])
    with torch.no_grad():
        world.model.get_input_embeddings().weight[min(only)] = math.inf
    with pytest.raises(TrainerError) as caught:
        run(world)
    assert caught.value.code == "not_finite"
    assert "eval.jsonl:4" in caught.value.rows and "eval.jsonl:3" not in caught.value.rows


def test_read_held_out_refuses_rows_that_do_not_fit_the_prepared_ones(world, tmp_path):
    tiny.make_job(tmp_path, world.job.base.__dict__, tiny.home_rows(4), tiny.home_rows(TOTAL + 1))
    (tmp_path / "prepared").symlink_to(world.dir / "prepared")
    with pytest.raises(TrainerError, match="has 7 rows, its prepared form 6"):
        read_held_out(read_job(tmp_path), tmp_path)


def test_few_shot_prompt_is_instructions_examples_and_the_row(world):
    few_shot = FewShot("Explain.", 2)
    rows = world.held_out.rows
    chat = LinearChat(world.job.templates[0])
    texts = few_shot_texts(chat, few_shot, world.dir / "train.jsonl", rows, 1)
    prompts = few_shot_prompts(world.encoder, texts, rows, 512)
    shown = choose_examples(world.dir / "train.jsonl", 2, 1)
    text = "<|im_start|>system\nExplain.<|im_end|>\n"
    for row in shown:
        user, assistant = row.messages[1]["content"], row.messages[2]["content"]
        text += f"<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n{assistant}<|im_end|>\n"
    text += f"<|im_start|>user\n{rows[0].messages[1]['content']}<|im_end|>\n<|im_start|>assistant\n"
    assert world.encoder.tokenizer.decode(prompts[0], skip_special_tokens=False) == text
    assert len(prompts) == TOTAL


def test_choose_examples_follows_the_seed_and_takes_what_there_is(world):
    path = world.dir / "train.jsonl"
    assert choose_examples(path, 3, 1) == choose_examples(path, 3, 1)
    assert choose_examples(path, 3, 1) == choose_examples(path, 5, 1)[:3]
    assert choose_examples(path, 3, 1) != choose_examples(path, 3, 2)
    assert len({row.origin for row in choose_examples(path, 99, 1)}) == 12
    assert choose_examples(path, 0, 1) == []


def test_evaluate_few_shot_scores_answers_without_a_loss(taught):
    scores = evaluate_few_shot(taught.model, taught.encoder, taught.held_out, taught.job, quiet)
    assert scores.summary() == {"score": scores.score, "rows": TOTAL}
    assert scores.score == sum(scores.right) / TOTAL
    assert len(scores.answers) == TOTAL and scores.answers != run(taught).answers


def test_evaluate_few_shot_refuses_prompts_that_fill_the_context(tiny_llama, tmp_path):
    changed = {"few_shot": {"instructions": "long " * 300, "examples": 1}}
    world = make_world(tiny_llama, tmp_path, evaluate=changed)
    with pytest.raises(TrainerError, match="6 of 6 prompts") as caught:
        evaluate_few_shot(world.model, world.encoder, world.held_out, world.job, quiet)
    assert caught.value.rows[0] == "eval.jsonl:1"


def test_scores_survive_a_file(taught):
    scores = run(taught)
    assert Scores(**json.loads(json.dumps(scores.as_json()))) == scores


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_changes_count_every_row_once(pairs):
    before, after = (Scores(len(pairs), 1.0, [], list(right)) for right in zip(*pairs, strict=True))
    found = changes(before, after)
    assert sum(found.values()) == len(pairs)
    assert found["fixed"] + found["still_right"] == sum(after.right)
    assert found["broken"] + found["still_right"] == sum(before.right)
    assert changes(None, after) is None and changes(before, None) is None


def test_write_predictions_has_a_line_for_every_row(taught, tmp_path):
    scores = run(taught)
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, taught.held_out, None, None, scores, prefix_length=3)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == TOTAL
    assert lines[0] == {
        "row": 0,
        "origin": "eval.jsonl:1",
        "question": taught.held_out.rows[0].messages[1]["content"],
        "prompt": render_prompt(taught.job.templates[0], taught.held_out.rows[0].messages[:-1]),
        "expected": taught.held_out.expected[0],
        "prompt_tokens": 3 + len(prompt_of(taught.held_out.prepared, 0)),
        "before": None,
        "few_shot": None,
        "after": taught.held_out.expected[0],
        "before_ok": None,
        "few_shot_ok": None,
        "after_ok": True,
    }


def test_score_rows_agrees_as_far_as_greedy_decoding_does(taught):
    scores = score_rows(taught.model, taught.held_out.prepared, 512)
    assert [score.wrong is None for score in scores] == [True] * 3 + [False] * 3
    for index, score in enumerate(scores):
        tokens, labels = taught.held_out.prepared.row(index)
        expected = tokens[labels.astype(bool)].tolist()
        assert score.count == len(expected)
        assert score.agreed == expected[: len(score.agreed)]
        assert score.wrong is None or score.wrong != expected[len(score.agreed)]


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 200))
def test_plan_batches_holds_every_row_once_within_the_tokens(lengths, micro_tokens):
    batches = padded_batches(lengths, micro_tokens)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= micro_tokens
