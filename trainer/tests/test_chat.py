"""Conversations by chat templates like those of well-known bases, against transformers' own rendering and masks."""

import datetime
import json
import random
from dataclasses import replace

import pytest
import tiny
from chat_templates import SPECIAL, TEMPLATES
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.utils import chat_template_utils

from temper_trainer.data.chat import Answer, ControlTokens, JinjaChat, chains
from temper_trainer.data.encoder import Encoder
from temper_trainer.data.examples import Row, read_row
from temper_trainer.data.jinja import Jinja
from temper_trainer.errors import TrainerError

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "set_lamp",
            "description": "Switches a lamp: <on> or 'off' - «naïve»",
            "parameters": {"type": "object", "properties": {"room": {"type": "string"}}},
        },
    }
]


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


def make_tokenizer(folder, name):
    from tokenizers import Tokenizer, decoders, models, trainers
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import PreTrainedTokenizerFast

    template, bos, eos = TEMPLATES[name]
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = tiny.pre_tokenizer("qwen3")
    core.decoder = decoders.ByteLevel()
    alphabet = ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(tiny.TEXT * 4, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token=bos, eos_token=eos)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return tokenizer


class World:
    """A tokenizer of transformers, and ours with the same template."""

    def __init__(self, folder, name):
        self.theirs = make_tokenizer(folder, name)
        self.jinja = Jinja(self.theirs.chat_template, self.theirs.special_tokens_map)
        ends = {"strict": ["<eos>", "<end_of_turn>"], "dated": ["<|eot_id|>", "<|eom_id|>"]}
        self.chat = JinjaChat(self.jinja, SPECIAL, ends.get(name, [self.theirs.eos_token]))
        self.encoder = Encoder(self.theirs._tokenizer, [])
        self.name = name


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    made = {name: World(tmp_path_factory.mktemp(name), name) for name in TEMPLATES}
    yield made
    for world in made.values():
        world.jinja.close()


@pytest.fixture(autouse=True)
def fixed_date(monkeypatch):
    monkeypatch.setattr(chat_template_utils, "datetime", FixedDate)


PIECES = [
    "lamp",
    "naïve café",
    "東京 🙂",
    "<b>&amp;</b>",
    "{{ x }}",
    "{% if %}",
    "<|im_",
    "[INS",
    '"quoted"',
    "a\\b",
    "1 2",
]


def conversation_of(choose: random.Random, name: str) -> dict:
    """A line of train.jsonl with what the template has a place for."""

    def text() -> str:
        return "word " + " ".join(choose.choice(PIECES) for _ in range(choose.randint(0, 4)))

    tools = TOOLS if name != "strict" and choose.random() < 0.5 else None
    messages = []
    if name != "strict" and choose.random() < 0.5:
        messages.append({"role": "system", "content": text()})
    for _ in range(choose.randint(1, 4)):
        messages.append({"role": "user", "content": text()})
        if tools and choose.random() < 0.5:
            for _ in range(choose.randint(1, 2)):
                arguments = json.dumps({"room": text()}, ensure_ascii=False)
                function = {"name": "set_lamp", "arguments": arguments}
                calls = [{"id": "call_0", "type": "function", "function": function}]
                messages.append({"role": "assistant", "content": "", "tool_calls": calls})
                messages.append({"role": "tool", "content": text(), "tool_call_id": "call_0"})
        messages.append({"role": "assistant", "content": text()})
    for message in messages:
        if message["role"] == "assistant":
            if name == "thinking" and choose.random() < 0.5:
                message["reasoning_content"] = text()
            if choose.random() < 0.25:
                message["weight"] = 0
    messages[-1].pop("weight", None)
    row = {"origin": "x:1", "messages": messages} | ({"tools": tools} if tools else {})
    return row


def as_row(value: dict, tmp_path) -> Row:
    return read_row(json.dumps(value), tmp_path / "x.jsonl", 1)


def theirs(world, value: dict, count: int, reasons: bool, **options):
    """What transformers makes of the first `count` messages; arguments become objects as its documentation asks."""
    messages = json.loads(json.dumps(value["messages"][:count]))
    for message in messages:
        message.pop("weight", None)
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return world.theirs.apply_chat_template(messages, tools=value.get("tools"), enable_thinking=reasons, **options)


def by_transformers(world, value: dict, turn: int) -> tuple[list[int], list[int]]:
    """Tokens and mask of the last assistant turn: the prompt, and what the template itself marks as generated."""
    reasons = bool(value["messages"][turn].get("reasoning_content"))
    prompt = theirs(world, value, turn, reasons, add_generation_prompt=True)["input_ids"]
    found = theirs(world, value, turn + 1, reasons, return_assistant_tokens_mask=True, return_dict=True)
    ids, mask = found["input_ids"], found["assistant_masks"]
    end = max(i for i, label in enumerate(mask) if label) + 1
    start = end
    while start and mask[start - 1]:
        start -= 1
    return prompt + ids[start:end], [0] * len(prompt) + [1] * (end - start)


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_text_and_labels_are_those_of_transformers(worlds, tmp_path_factory, name, seed):
    world = worlds[name]
    value = conversation_of(random.Random(seed), name)
    row = as_row(value, tmp_path_factory.getbasetemp())
    learnt = [i for i, m in enumerate(value["messages"]) if m["role"] == "assistant" and m.get("weight", 1) != 0]
    assert row.learnt() == learnt
    (answers,) = world.chat.answers([row], [learnt])
    for turn, answer in zip(learnt, answers, strict=True):
        reasons = bool(value["messages"][turn].get("reasoning_content"))
        prompt = theirs(world, value, turn, reasons, add_generation_prompt=True, tokenize=False)
        assert answer.prompt == prompt
        ids, mask = by_transformers(world, value, turn)
        ((read, said),) = world.encoder.encode_samples([[answer]])
        assert (read[0] + said[0], [0] * len(read[0]) + [1] * len(said[0])) == (ids, mask)
    check_chains(world, value, learnt, answers)


def check_chains(world, value, learnt, answers):
    """Each answer is learnt once, behind exactly the tokens that a server would give the model."""
    samples = chains(answers)
    assert [answer for sample in samples for answer in sample] == answers
    turns = iter(learnt)
    for sample, parts in zip(samples, world.encoder.encode_samples(samples), strict=True):
        so_far = []
        for answer, (read, no), (said, yes) in zip(sample, parts[::2], parts[1::2], strict=True):
            assert (no, yes) == (False, True)
            ids, mask = by_transformers(world, value, next(turns))
            assert so_far + read + said == ids
            assert said == [token for token, label in zip(ids, mask, strict=True) if label]
            so_far += read + said
            assert world.theirs.decode(said) == answer.text + answer.end


def talk(*turns: tuple[str, str] | dict) -> Row:
    return Row("x:1", [turn if isinstance(turn, dict) else {"role": turn[0], "content": turn[1]} for turn in turns])


def test_a_template_that_strips_earlier_reasoning_gives_a_sample_for_each_turn(worlds):
    row = talk(
        ("user", "a"), {"role": "assistant", "content": "b", "reasoning_content": "because"},
        ("user", "c"), {"role": "assistant", "content": "d", "reasoning_content": "so"},
    )  # fmt: skip
    (answers,) = worlds["thinking"].chat.answers([row], [row.learnt()])
    first, second = chains(answers)
    assert first[0].text == "<think>\nbecause\n</think>\n\nb"
    assert "because" not in second[0].prompt
    assert second[0].prompt.endswith(
        "<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"
    )


def test_an_answer_without_reasoning_is_asked_for_without(worlds):
    row = talk(("user", "a"), ("assistant", "b"))
    ((answer,),) = worlds["thinking"].chat.answers([row], [[1]])
    assert answer.prompt.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert (answer.text, answer.end) == ("b", "<|im_end|>")


def test_a_system_prompt_that_moves_to_the_last_turn_is_learnt_where_it_is_served(worlds):
    row = talk(("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "a"), ("assistant", "b"))
    (answers,) = worlds["late"].chat.answers([row], [row.learnt()])
    assert [answer.prompt for answer in answers] == [
        "<s>[INST] s\n\na[/INST]",
        "<s>[INST] a[/INST] b</s>[INST] s\n\na[/INST]",
    ]
    assert [(answer.text, answer.end) for answer in answers] == [(" b", "</s>")] * 2
    assert len(chains(answers)) == 2


def test_calls_end_with_the_token_that_the_template_gives_them(worlds):
    call = {"function": {"name": "f", "arguments": {"a": "é"}}}
    row = talk(
        ("user", "a"), {"role": "assistant", "content": "", "tool_calls": [call]}, ("tool", "1"), ("assistant", "b")
    )
    (answers,) = worlds["dated"].chat.answers([row], [row.learnt()])
    assert [(answer.text, answer.end) for answer in answers] == [
        ('<|python_tag|>{"name": "f", "parameters": {"a": "é"}}', "<|eom_id|>"),
        ("b", "<|eot_id|>"),
    ]
    assert len(chains(answers)) == 1


def test_a_date_is_the_same_every_day_and_part_of_the_template(worlds, monkeypatch):
    world = worlds["dated"]
    assert world.jinja.date == "2024-07-26"
    row = talk(("user", "a"), ("assistant", "b"))
    ((answer,),) = world.chat.answers([row], [[1]])
    assert "Today Date: 26 Jul 2024\n" in answer.prompt
    monkeypatch.undo()
    text = world.theirs.apply_chat_template(
        row.messages[:1], chat_template=world.jinja.text, tokenize=False, add_generation_prompt=True
    )
    assert text == answer.prompt
    assert worlds["thinking"].jinja.date is None
    assert worlds["thinking"].jinja.text == TEMPLATES["thinking"][0]


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("strict", talk(("system", "s"), ("user", "a"), ("assistant", "b")), 'refuses it: "System role not supported"'),
        ("strict", talk(("user", "a"), ("user", "c"), ("assistant", "b")), "Conversation roles must alternate"),
        ("strict", replace(talk(("user", "a"), ("assistant", "b")), tools=TOOLS), "leaves out tools"),
        ("strict", replace(talk(("user", "a"), ("assistant", "b")), variables={"x": 1}), 'chat_template_kwargs "x"'),
        (
            "late",
            talk(("user", "a"), {"role": "assistant", "content": "b", "reasoning_content": "because"}),
            "leaves out messages[1].reasoning_content",
        ),
        (
            "dated",
            talk(
                ("user", "a"),
                {"role": "assistant", "content": "lost", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
            ),
            "leaves out messages[1].content",
        ),
    ],
)
def test_what_a_template_does_not_take_is_refused_by_row(worlds, name, row, words):
    with pytest.raises(TrainerError) as caught:
        worlds[name].chat.answers([row], [row.learnt()])
    assert words in caught.value.message
    assert (caught.value.code, caught.value.rows) == ("bad_data", ["x:1"])


def chat_of(template: str, ends=("</s>",)) -> JinjaChat:
    return JinjaChat(Jinja(template, {"bos_token": "<s>", "eos_token": "</s>"}), SPECIAL, ends)


BODY = "{% for m in messages %}{{ '[' + m.role + ']' + m.content + '</s>' }}{% endfor %}"


def test_a_template_whose_header_differs_is_refused_where_only_its_end_is_found_again():
    chat = chat_of(BODY.replace("]'", "]<think>'") + "{% if add_generation_prompt %}[model]<think>{% endif %}")
    row = talk(("user", "a"), ("assistant", "b"))
    with pytest.raises(TrainerError, match="begins the answer in another way"):
        chat.answers([row], [[1]])
    chat.jinja.close()


def test_a_template_whose_prompt_is_no_beginning_is_refused_with_the_difference():
    chat = chat_of(BODY + "{% if add_generation_prompt %}[assistant]<think>\n{% endif %}")
    row = talk(("user", "a"), ("assistant", "b"))
    with pytest.raises(TrainerError) as caught:
        chat.answers([row], [[1]])
    chat.jinja.close()
    assert "'[user]a</s>[assistant]<think>\\n' before generation" in caught.value.message
    assert "'[user]a</s>[assistant]b</s>' when finished" in caught.value.message


@pytest.mark.parametrize(
    ("close", "ends", "end"),
    [
        ("</s>\n", ["</s>"], "</s>"),
        ("<|im_end|>\n<|endoftext|>", ["<|endoftext|>", "<|im_end|>"], "<|im_end|>"),
        ("<|im_end|>\n", ["</s>"], "<|im_end|>"),
        ("[/TOOL_RESULTS]</s> ", ["</s>"], "</s>"),
    ],
)
def test_the_end_token_is_the_first_one_that_ends_an_answer(close, ends, end):
    body = BODY.replace("</s>", close.replace("\n", "\\n"))
    chat = chat_of(body + "{% if add_generation_prompt %}[assistant]{% endif %}", ends)
    ((answer,),) = chat.answers([talk(("user", "a"), ("assistant", "b "))], [[1]])
    chat.jinja.close()
    assert (answer.text, answer.end) == ("b " + close.split(end)[0], end)


def test_an_answer_without_an_end_token_is_refused():
    chat = chat_of("{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}")
    row = talk(("user", "a"), ("assistant", "b"))
    with pytest.raises(TrainerError, match="does not end with a special token of the base") as caught:
        chat.answers([row], [[1]])
    chat.jinja.close()
    assert caught.value.rows == ["x:1"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{% for i in range(99999) %}{% for k in range(99999) %}{% endfor %}{% endfor %}", "does not finish within"),
        ("{{ 'x' * 3000000000 }}", "needs too much memory"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "calls itself without end"),
        ("{% for i in range(9000) %}{{ 'x' * 9000 }}{% endfor %}", "writes more than"),
        ("{{ messages.__class__.__mro__ }}", "unsafe"),
    ],
)
def test_a_template_that_does_not_end_or_explodes_is_stopped(body, words):
    chat = chat_of("{% if messages | length > 1 %}" + body + "{% endif %}")
    row = talk(("user", "a"), ("assistant", "b"))
    with pytest.raises(TrainerError) as caught:
        chat.answers([row], [[1]])
    chat.jinja.close()
    assert words in caught.value.message
    assert caught.value.rows == ["x:1"]


def test_a_template_with_a_fault_is_refused_with_its_line():
    with pytest.raises(TrainerError, match=r"Cannot use the chat template: .*\(line 2\)"):
        Jinja("{{ 1 }}\n{% if %}", {})


FRAGMENTS = st.lists(
    st.sampled_from([*SPECIAL, "<|im_", "start|>", "<", "s>", "</", "[INST", "]", "text", " "]), max_size=5
)


@settings(max_examples=200)
@given(
    parts=FRAGMENTS, place=st.sampled_from(["user", "assistant", "system", "reasoning", "tool", "tools", "arguments"])
)
def test_control_tokens_in_a_row_are_refused_and_never_trained(worlds, parts, place):
    text = "a" + "".join(parts) + "z"
    function = {"name": "f", "arguments": {"x": text if place == "arguments" else "1"}}
    answer = {
        "role": "assistant",
        "content": text if place == "assistant" else "b",
        "tool_calls": [{"function": function}],
    }
    answer["reasoning_content"] = text if place == "reasoning" else "r"
    messages = [{"role": role, "content": text if place == role else "c"} for role in ("system", "user")]
    messages += [
        answer,
        {"role": "tool", "content": text if place == "tool" else "1"},
        {"role": "assistant", "content": "d"},
    ]
    tools = [{"type": "function", "function": {"name": "f", "description": text if place == "tools" else ""}}]
    row, world = Row("x:1", messages, tools), worlds["thinking"]
    control = ControlTokens(SPECIAL)
    if any(token in text for token in SPECIAL):
        with pytest.raises(TrainerError, match="a control token of the base") as caught:
            control.refuse(row)
        assert caught.value.rows == ["x:1"]
        return
    control.refuse(row)
    plain = Row("x:1", json.loads(json.dumps(messages).replace(json.dumps(text)[1:-1], "q")), tools)
    assert control_ids(world, row) == control_ids(world, plain)


def control_ids(world, row: Row) -> list[int]:
    (answers,) = world.chat.answers([row], [row.learnt()])
    known = set(world.theirs.convert_tokens_to_ids(SPECIAL))
    parts = world.encoder.encode_samples(chains(answers))
    return [token for sample in parts for ids, _ in sample for token in ids if token in known]


def test_bos_comes_once_whoever_writes_it(worlds):
    world = worlds["late"]
    core = world.theirs._tokenizer
    bos = core.token_to_id("<s>")
    answer = Answer("<s>[INST] a[/INST]", " b", "</s>")
    for encoder in (Encoder(core, []), Encoder(core, [], bos)):
        ((read, _),) = encoder.encode_samples([[answer]])
        assert read[0] == encoder.encode_prompt(answer.prompt)
        assert (read[0][0], read[0].count(bos)) == (bos, 1)
    silent = replace(answer, prompt="[INST] a[/INST]")
    assert Encoder(core, [], bos).encode_prompt(silent.prompt)[0] == bos


def test_decode_shows_the_control_tokens_that_answers_are_made_of(worlds):
    core = worlds["late"].theirs._tokenizer
    ids = core.encode("[TOOL_CALLS] [] <s>x", add_special_tokens=False).ids
    assert Encoder(core, [], markup=["[TOOL_CALLS]"]).decode(ids) == "[TOOL_CALLS] [] x"
    assert Encoder(core, []).decode(ids) == core.decode(ids)


def test_an_answer_gets_no_space_that_the_tokenizer_puts_before_a_text_of_its_own():
    from tokenizers import AddedToken, Tokenizer, models, normalizers

    vocabulary = {text: index for index, text in enumerate(["<unk>", "</s>", "▁", "a", "]", "b", "▁b"])}
    core = Tokenizer(models.BPE(vocabulary, [("▁", "b")], unk_token="<unk>"))
    core.add_special_tokens([AddedToken("</s>", normalized=False)])
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    sample = [Answer("a]", " b", "</s>"), Answer("a] b</s>a]", "b", "</s>")]
    first, said, second, again = Encoder(core, []).encode_samples([sample])[0]
    assert [core.id_to_token(i) for i in first[0]] == ["▁", "a", "]"]
    assert [core.id_to_token(i) for i in said[0]] == ["▁b", "</s>"]
    assert [core.id_to_token(i) for i in second[0]] == ["▁", "a", "]"]
    assert [core.id_to_token(i) for i in again[0]] == ["b", "</s>"]


def test_an_end_token_that_is_not_special_ends_an_answer_once():
    """SentencePiece's user-defined symbols are cut as one token, and are not marked as special."""
    chat = JinjaChat(None, ["<s>"], [], ["<|im_end|>", "</call>"])
    row = Row("rows.jsonl:1", [])
    assert chat._split_end(row, "on</call><|im_end|>\n") == ("on</call>", "<|im_end|>")
    with pytest.raises(TrainerError, match="teach the model to stop"):
        chat._split_end(row, "on<|im_end|>off<|im_end|>\n")
