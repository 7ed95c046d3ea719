"""What an answer calls and what it reasons: the same vectors as the TypeScript side reads."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temper_trainer.data.exact_json import parse_json
from temper_trainer.data.tool_calls import FORMS, Call, form_of, message_calls, same_calls, without_reasoning
from temper_trainer.eval.metrics import metric_of

VECTORS = json.loads((Path(__file__).parents[2] / "tests" / "fixtures" / "answers.json").read_text(encoding="utf-8"))


def calls(pairs):
    return None if pairs is None else [Call(name, parse_json(arguments)) for name, arguments in pairs]


@pytest.mark.parametrize("vector", VECTORS["reasoning"], ids=lambda vector: vector["text"])
def test_without_reasoning(vector):
    assert without_reasoning(vector["text"]) == vector["answer"]


@pytest.mark.parametrize("vector", VECTORS["calls"], ids=lambda vector: f"{vector['form']} {vector['text']}")
def test_each_form_reads_its_calls(vector):
    found, wanted = FORMS[vector["form"]](vector["text"]), calls(vector["calls"])
    assert (found is None) == (wanted is None)
    assert wanted is None or same_calls(found, wanted)


@pytest.mark.parametrize("vector", VECTORS["same"], ids=str)
def test_same_calls(vector):
    assert same_calls(calls(vector["a"]), calls(vector["b"])) is vector["same"]


@given(st.text())
def test_no_text_breaks_a_form(text):
    for name, read in FORMS.items():
        for answer in (text, f"<tool_call>{text}</tool_call>", f"[TOOL_CALLS]{text}", f"<|python_tag|>{text}"):
            assert read(answer) is None or isinstance(read(answer), list), name
    assert text.endswith(without_reasoning(text))


def test_form_of_takes_the_form_that_says_every_row():
    light = [Call("light", parse_json('{"on": true}'))]
    hermes = '<think>\nhm\n</think>\n<tool_call>{"name": "light", "arguments": {"on": true}}</tool_call>'
    assert form_of([(hermes, light), ("no", [])]) == "hermes"
    assert form_of([('{"name": "light", "parameters": {"on": true}}', light)]) == "llama3"
    assert form_of([('[{"name": "light", "arguments": {"on": true}}]', light), ("[TOOL_CALLS]", [])]) == "llama3"
    assert form_of([("<function=light><parameter=on>true</parameter></function>", light)]) is None
    assert form_of([(hermes, light), (hermes, [])]) is None


def test_message_calls_reads_arguments_as_text_or_object():
    texts = [{"function": {"name": "a", "arguments": '{"n": 1.0}'}}, {"function": {"name": "b"}}]
    objects = [{"function": {"name": "b", "arguments": {}}}, {"function": {"name": "a", "arguments": {"n": 1}}}]
    assert same_calls(message_calls({"tool_calls": texts}), message_calls({"tool_calls": objects}))
    assert message_calls({"content": "no"}) == []


def test_metric_tool_call_wants_the_calls_and_nothing_of_the_words():
    right = metric_of("tool_call", form="hermes")
    wanted = '<tool_call>{"name": "light", "arguments": {"on": true, "room": "attic"}}</tool_call>'
    assert right('Sure!\n<tool_call>{"name": "light", "arguments": {"room": "attic", "on": true}}</tool_call>', wanted)
    assert not right('<tool_call>{"name": "light", "arguments": {"room": "attic", "on": false}}</tool_call>', wanted)
    assert not right("It is on.", wanted)
    assert right("I cannot do that.", "There is no such device.")
    assert not right(wanted, "There is no such device.") and not right("<tool_call>{", "There is no such device.")
    assert not right(f"<think>{wanted}</think>\nno", wanted)


def test_answers_are_judged_without_their_reasoning_unless_it_is_included():
    answer, expected = "<think>\n2 + 2 = 4\n</think>\n\n4", "<think>\ntwo and two\n</think>\n\n4"
    assert metric_of("exact_match")(answer, expected)
    assert not metric_of("exact_match", reasoning="include")(answer, expected)
    assert not metric_of("contains")("<think>4</think>5", "4")
    assert metric_of("regex", "^{{ expected }}$")(answer, expected)
    assert metric_of("json_equal")(answer, "4.0")
