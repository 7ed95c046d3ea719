"""Tokens and label masks: what is written is what is served and trained."""

import json
import re

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from tokenizers import Tokenizer

from temper_trainer.data.chat import chains
from temper_trainer.data.encoder import Encoder
from temper_trainer.data.examples import Row, read_rows
from temper_trainer.data.linear_template import LinearChat, render, render_prompt
from temper_trainer.data.prepare import prepare
from temper_trainer.data.prepared import Prepared, PreparedWriter
from temper_trainer.errors import TrainerError
from temper_trainer.job.job import Job, read_job

PREFIX = {"kind": "prefix", "length": 2, "placement": "input", "init_text": None}


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def tokenizer(tiny_llama):
    return Tokenizer.from_file(str(tiny_llama / "tokenizer.json"))


@pytest.fixture
def prepared(tmp_path, tiny_llama, cache):
    def make(rows, evaluation=None, **changes) -> tuple[Job, dict]:
        job_dir = tiny.make_job(tmp_path / "job", tiny.folder_base(tiny_llama), rows, evaluation, **changes)
        job = read_job(job_dir)
        prepare(job, job_dir, cache, lambda *_: None)
        return job_dir, json.loads((job_dir / "tokens.json").read_text())

    return make


def row(*turns: str, origin="x:1") -> dict:
    """Turns as "role: content"."""
    split = [turn.split(": ", 1) for turn in turns]
    return {"origin": origin, "messages": [{"role": role, "content": content} for role, content in split]}


def shown(tokenizer, job_dir, name="train", index=0) -> str:
    """The row's text, with what is supervised in brackets."""
    tokens, labels = Prepared(job_dir / "prepared" / f"{name}.safetensors").row(index)
    text, inside = "", False
    for token, label in zip(tokens, labels, strict=True):
        if bool(label) != inside:
            text += "[" if label else "]"
            inside = bool(label)
        text += tokenizer.decode([int(token)], skip_special_tokens=False)
    return text + ("]" if inside else "")


def test_prepare_supervises_the_answer_and_the_end_token(prepared, tokenizer):
    job_dir, report = prepared([row("system: Home:", "user: turn on", "assistant: do: on")])
    assert shown(tokenizer, job_dir) == (
        "<|im_start|>system\nHome:<|im_end|>\n<|im_start|>user\nturn on<|im_end|>\n<|im_start|>assistant\n"
        "[do: on<|im_end|>]"
    )
    assert report["end_token"] == {"text": "<|im_end|>", "id": 2, "trained_rows": 1}
    assert report["template_matches_base"] is True
    assert report["train"]["supervised"] + report["train"]["masked"] == report["train"]["tokens"]


def test_prepare_supervises_every_answer_in_train_and_the_last_in_eval(prepared, tokenizer):
    talk = row("user: a", "assistant: b", "user: c", "assistant: d")
    job_dir, _ = prepared([talk], [talk])
    start = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"
    middle = "\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n[d<|im_end|>]"
    assert shown(tokenizer, job_dir) == f"{start}[b<|im_end|>]{middle}"
    assert shown(tokenizer, job_dir, "eval") == f"{start}b<|im_end|>{middle}"


def test_prepare_counts_rows_whose_whole_text_has_other_tokens(prepared):
    """What opens the answer is glued to its first word when the whole text is tokenised."""
    glued = tiny.merge(tiny.CHATML, {"turns": {"assistant": {"open": "<|im_start|>tu", "close": "<|im_end|>"}}})
    rows = [row("user: a", "assistant: rn"), row("user: a", "assistant: b")]
    _, report = prepared(rows, template="chatml", templates=[glued])
    assert report["train"]["differing"] == 1


def test_prepare_refuses_long_rows_by_name(prepared):
    rows = [row("user: a", "assistant: b"), row("user: a", "assistant: " + "word " * 200, origin="long.jsonl:7")]
    with pytest.raises(TrainerError) as caught:
        prepared(rows)
    [long] = caught.value.rows
    assert re.fullmatch(r"long\.jsonl:7: has \d+ tokens", long)
    assert "1 of 2 rows are longer than 128 tokens" in caught.value.message


def test_prepare_refuses_long_rows_of_both_files_at_once(prepared):
    long = row("user: a", "assistant: " + "word " * 200, origin="long.jsonl:7")
    held = [long | {"origin": "held.jsonl:1"}, row("user: a", "assistant: b")]
    with pytest.raises(TrainerError, match="the train and eval examples: 1 of 2 and 1 of 2 rows are") as caught:
        prepared([long, row("user: a", "assistant: b")], held)
    assert [text.split(": ")[0] for text in caught.value.rows] == ["long.jsonl:7", "held.jsonl:1"]


def test_prepare_cuts_long_rows_where_it_may(prepared):
    rows = [row("user: a", "assistant: b"), row("user: a", "assistant: " + "word " * 200, origin="long.jsonl:7")]
    job_dir, report = prepared(rows, checks={"too_long": "warn"})
    assert report["train"]["truncated"] == 1
    assert report["train"]["longest"] == 128
    assert report["end_token"]["trained_rows"] == 1
    assert [(long["origin"], long["tokens"] > 128) for long in report["long_rows"]] == [("long.jsonl:7", True)]
    assert len(Prepared(job_dir / "prepared" / "train.safetensors").row(1)[0]) == 128


def test_prepare_drops_long_rows_where_it_may(prepared):
    long = "assistant: " + "word " * 200
    rows = [row("user: a", "assistant: b"), row("user: a", long, origin="long.jsonl:7"), row("user: c", "assistant: d")]
    held = [row("user: e", long, origin="held.jsonl:1"), row("user: f", "assistant: g", origin="held.jsonl:2")]
    job_dir, report = prepared(rows, held, checks={"too_long": "drop"})
    found = [(report[name]["rows"], report[name]["dropped"], report[name]["truncated"]) for name in ("train", "eval")]
    assert found == [(2, 1, 0), (1, 1, 0)]
    assert [entry["origin"] for entry in report["long_rows"]] == ["long.jsonl:7", "held.jsonl:1"]
    assert len(Prepared(job_dir / "prepared" / "train.safetensors")) == 2
    assert [kept.messages[0]["content"] for kept in read_rows(job_dir / "train.jsonl")] == ["a", "c"]
    assert [kept.origin for kept in read_rows(job_dir / "eval.jsonl")] == ["held.jsonl:2"]
    assert [text["expected"] for text in files(job_dir)[1]] == ["g"]


def test_prepare_refuses_to_drop_every_row(prepared):
    rows = [row("user: a", "assistant: b"), row("user: c", "assistant: d")]
    with pytest.raises(TrainerError, match="every one of the 2 rows is longer than 8 tokens"):
        prepared(rows, train={"max_length": 8}, checks={"too_long": "drop"})


def test_prepare_refuses_a_cut_that_leaves_no_answer(prepared):
    rows = [row("user: a", "assistant: b"), row("user: " + "word " * 200, "assistant: b", origin="long.jsonl:7")]
    with pytest.raises(TrainerError, match="nothing of the answer would be left") as caught:
        prepared(rows, checks={"too_long": "off"})
    assert caught.value.rows == ["long.jsonl:7"]


def test_prepare_says_when_every_row_is_too_long(prepared):
    with pytest.raises(TrainerError, match="every one of the 2 rows is longer than 8 tokens"):
        prepared([row("user: a", "assistant: b")] * 2, train={"max_length": 8}, checks={"too_long": "off"})


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('{"origin": "a:1", "messages": [', 'Cannot read "train.jsonl:1": not JSON'),
        ('{"origin": "a:1"}', "it is not an object of origin and messages"),
        ('{"origin": "a:1", "messages": [{"role": "robot", "content": "x"}]}', "a message must have a role of"),
        ('{"origin": "a:1", "messages": [{"role": "user", "content": "x"}]}', "the last message must be the assistant"),
        ("", "there are none"),
    ],
)
def test_prepare_refuses_bad_examples(tmp_path, tiny_llama, cache, lines, words):
    job_dir = tiny.make_job(tmp_path, tiny.folder_base(tiny_llama), [])
    (job_dir / "train.jsonl").write_text(lines)
    with pytest.raises(TrainerError) as caught:
        prepare(read_job(job_dir), job_dir, cache, lambda *_: None)
    assert words in caught.value.message
    assert not (job_dir / "tokens.json").exists()
    assert list((job_dir / "prepared").iterdir()) == []


def test_prepare_refuses_an_end_token_inside_an_answer(prepared):
    reason = r'"a.csv:3": messages\[1\]\.content contains "<\|im_end\|>", a control token of the base'
    with pytest.raises(TrainerError, match=reason) as caught:
        prepared([row("user: a", "assistant: b<|im_end|>c", origin="a.csv:3")])
    assert caught.value.rows == ["a.csv:3"]


def test_prepare_chooses_no_template_that_does_not_fit(prepared):
    other = tiny.CHATML | {"name": "other", "detect": ["<|header|>"]}
    with pytest.raises(TrainerError, match="Cannot choose among the templates other"):
        prepared([row("user: a", "assistant: b")], templates=[other], method=PREFIX)
    stop = {"stop": ["</s>"], "turns": {role: {"open": f"<{role}>", "close": "</s>"} for role in tiny.CHATML["turns"]}}
    with pytest.raises(TrainerError, match='its vocabulary has no token "</s>"'):
        prepared([row("user: a", "assistant: b")], template="other", templates=[other | stop])


def read_template():
    from pydantic import TypeAdapter

    from temper_trainer.job.settings import Template

    return TypeAdapter(Template).validate_json(json.dumps(tiny.CHATML))


turns = st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=20).filter(lambda text: "<|" not in text))


@settings(max_examples=60, deadline=None)
@given(turns=st.lists(turns, max_size=5), answer=st.text(max_size=20).filter(lambda text: "<|" not in text))
def test_linear_answers_follow_each_other_in_one_text(turns, answer):
    row = Row("x", [{"role": role, "content": content} for role, content in [*turns, ("assistant", answer)]])
    template = read_template()
    (answers,) = LinearChat(template).answers([row], [row.learnt()])
    assert chains(answers) == [answers]
    assert answers[-1].whole + "\n" == render(template, row.messages)
    assert [answer.text for answer in answers] == [
        message["content"] for message in row.messages if message["role"] == "assistant"
    ]


@settings(max_examples=40, deadline=None)
@given(answer=st.text(max_size=30).filter(lambda text: "<|" not in text))
def test_encoder_labels_decode_to_the_answer(tokenizer, answer):
    template = read_template()
    encoder = Encoder(tokenizer, template.stop)
    messages = tiny.conversation("ask", answer)
    ((prompt, answered),) = encoder.encode_samples(LinearChat(template).answers([Row("x", messages)], [[2]]))
    assert prompt[0] == encoder.encode_prompt(render_prompt(template, messages[:-1]))
    assert answered[0][-1] == 2
    assert tokenizer.decode(answered[0][:-1], skip_special_tokens=False) == answer


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 1)), max_size=9), max_size=9))
def test_prepared_gives_back_what_was_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("prepared") / "train.safetensors"
    writer = PreparedWriter(path)
    for pairs in rows:
        writer.append([token for token, _ in pairs], [label for _, label in pairs])
    writer.close()
    prepared = Prepared(path)
    assert len(prepared) == len(rows)
    for index, pairs in enumerate(rows):
        tokens, labels = prepared.row(index)
        assert list(zip(tokens.tolist(), labels.tolist(), strict=True)) == pairs
    with safe_open(path, "np") as file:
        assert file.get_tensor("tokens").tolist() == [token for pairs in rows for token, _ in pairs]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_prepared_refuses_a_file_cut_short(tmp_path):
    path = tmp_path / "train.safetensors"
    writer = PreparedWriter(path)
    writer.append([1, 2, 3], [0, 1, 1])
    writer.close()
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(TrainerError, match="it is damaged"):
        Prepared(path)


def test_prepare_leaves_room_for_a_prefix(prepared, tmp_path):
    method = {"kind": "prefix", "length": 500, "placement": "input", "init_text": None}
    rows = [row("user: a", "assistant: b"), row("user: a", "assistant: " + "word " * 20)]
    with pytest.raises(TrainerError, match="every one of the 2 rows is longer than 12 tokens"):
        prepared(rows, method=method)
    _, report = prepared(rows, method=method | {"length": 470}, checks={"too_long": "warn"})
    assert report["train"]["longest"] == 512 - 470
    assert report["opening"] == ""
    with pytest.raises(TrainerError, match=r"Cannot use method\.length 511: the base reads 512 tokens in all"):
        prepared(rows, method=method | {"length": 511})


def test_prepare_says_what_prompts_begin_with(prepared):
    method = {"kind": "prefix", "length": 2, "placement": "input", "init_text": None}
    _, report = prepared([row("user: a", "assistant: b")], method=method, export={"gguf": True, "quantization": "f32"})
    assert report["opening"] == "<|soft_000|><|soft_001|>"


def linear(name: str) -> dict:
    """A template that the tiny base's vocabulary has the tokens for, but that no base was made with."""
    turns = {role: {"open": f"[{role}]", "close": "<|im_end|>"} for role in tiny.CHATML["turns"]}
    return tiny.CHATML | {"name": name, "detect": ["[user]"], "turns": turns}


def files(job_dir) -> tuple[str, list[dict]]:
    folder = job_dir / "prepared"
    lines = (folder / "eval.jsonl").read_text(encoding="utf-8").splitlines() if (folder / "eval.jsonl").exists() else []
    return (folder / "chat_template.jinja").read_text(encoding="utf-8"), [json.loads(line) for line in lines]


def test_prepare_takes_the_base_s_own_chat_template(prepared):
    rows = [row("system: s", "user: a", "assistant: b", "user: c", "assistant: d")]
    job_dir, report = prepared(rows, rows)
    assert report["template"] == {
        "kind": "jinja", "name": "base", "stop": ["<|im_end|>"], "linear": "chatml", "markup": [],
    }  # fmt: skip
    assert (report["template_matches_base"], report["template_difference"], report["date"]) == (True, None, None)
    prompt = render_prompt(read_template(), rows[0]["messages"][:-1])
    assert files(job_dir) == (tiny.JINJA, [{"prompt": prompt, "expected": "d", "few_shot": None}])


def test_prepare_compares_a_template_by_name_on_every_row(prepared):
    rows = [row("user: a", "assistant: b", origin="x:1"), row("user: c", "assistant: d", origin="x:2")]
    _, report = prepared(rows, template="chatml")
    assert (report["template"]["kind"], report["template_matches_base"]) == ("linear", True)
    _, report = prepared(rows, template="other", templates=[linear("other")])
    assert report["template_matches_base"] is False
    assert report["template_difference"] == {
        "row": "x:1",
        "base": "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>",
        "trained": "[user]a<|im_end|>[assistant]b<|im_end|>",
    }


DEFAULT = "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\nD<|im_end|>\n' }}{% endif %}" + tiny.JINJA


def test_prepare_tells_a_default_system_prompt_by_the_row_that_gets_it(prepared):
    """A file of one's own has no linear equal where one row has no system prompt; the base's template differs there."""
    rows = [row("system: s", "user: a", "assistant: b", origin="x:1"), row("user: c", "assistant: d", origin="x:2")]
    job_dir, report = prepared(rows, rows, template="jinja", chat_template=DEFAULT)
    assert (report["template"]["name"], report["template"]["linear"]) == ("file", None)
    assert report["template_difference"]["row"] == "x:2"
    text, texts = files(job_dir)
    assert text == DEFAULT
    assert texts[1]["prompt"].startswith("<|im_start|>system\nD<|im_end|>\n<|im_start|>user\nc")
    _, report = prepared(rows[:1], template="jinja", chat_template=DEFAULT)
    assert (report["template"]["linear"], report["template_difference"]) == ("chatml", None)


def test_prepare_says_that_the_base_s_template_refuses_a_row(tmp_path, tiny_llama, cache):
    import shutil

    base = shutil.copytree(tiny_llama, tmp_path / "base")
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + tiny.JINJA
    (base / "chat_template.jinja").write_text(refusing)
    rows = [row("user: a", "assistant: b", origin="x:1"), row("system: s", "user: c", "assistant: d", origin="x:2")]
    job_dir = tiny.make_job(tmp_path / "job", tiny.folder_base(base), rows)
    with pytest.raises(TrainerError, match='refuses it: "no system"') as caught:
        prepare(read_job(job_dir), job_dir, cache, lambda *_: None)
    assert caught.value.rows == ["x:2"]
    job_dir = tiny.make_job(tmp_path / "job", tiny.folder_base(base), rows, template="chatml")
    prepare(read_job(job_dir), job_dir, cache, lambda *_: None)
    found = json.loads((job_dir / "tokens.json").read_text())["template_difference"]
    assert (found["row"], "no system" in found["base"]) == ("x:2", True)


def test_prepare_leaves_out_what_has_weight_0(prepared, tokenizer):
    rows = [row("user: a", "assistant: b", "user: c", "assistant: d", "user: e", "assistant: f")]
    rows[0]["messages"][1]["weight"] = rows[0]["messages"][5]["weight"] = 0
    job_dir, _ = prepared(rows, rows)
    start = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n"
    assert (
        shown(tokenizer, job_dir) == shown(tokenizer, job_dir, "eval") == f"{start}<|im_start|>assistant\n[d<|im_end|>]"
    )
    assert files(job_dir)[1][0]["expected"] == "d"
    rows[0]["messages"][3]["weight"] = 0
    with pytest.raises(TrainerError, match='"x:1": every answer has weight 0'):
        prepared(rows)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"reasoning_content": "because"}, r"no place for messages\[1\].reasoning_content"),
        ({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, r"no place for messages\[1\].tool_calls"),
    ],
)
def test_a_linear_template_refuses_what_it_has_no_place_for(prepared, message, words):
    rows = [row("user: a", "assistant: b")]
    rows[0]["messages"][1] |= message
    with pytest.raises(TrainerError, match=words) as caught:
        prepared(rows, template="chatml")
    assert caught.value.rows == ["x:1"]


def test_few_shot_prompts_are_rendered_with_everything_else(prepared):
    rows = [row("system: s", "user: a", "assistant: b")]
    few_shot = {"instructions": "Explain.", "examples": 1}
    job_dir, _ = prepared(rows, rows, evaluate={"few_shot": few_shot})
    turns = row("system: Explain.", "user: a", "assistant: b", "user: a")["messages"]
    assert files(job_dir)[1][0]["few_shot"] == render_prompt(read_template(), turns)
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + tiny.JINJA
    rows = [row("user: a", "assistant: b")]
    job_dir, _ = prepared(rows, rows, evaluate={"few_shot": few_shot}, template="jinja", chat_template=strict)
    turns = row("user: Explain.\n\na", "assistant: b", "user: a")["messages"]
    assert files(job_dir)[1][0]["few_shot"] == render_prompt(read_template(), turns)


def test_prepare_counts_what_the_template_leaves_out_of_prompts(prepared):
    silent = tiny.JINJA.replace(
        "{% for message in messages %}", "{% for message in messages if message.role != 'system' %}"
    )
    rows = [
        row("system: s y", "user: a", "assistant: b", "user: c", "assistant: d", origin="x:7"),
        row("user: a", "assistant: b"),
    ]
    _, report = prepared(rows, template="jinja", chat_template=silent)
    assert report["left_out"] == {"system": {"rows": 1, "first": "x:7"}}
    _, report = prepared(rows)
    assert report["left_out"] == {}
