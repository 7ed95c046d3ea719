"""What counts as a right answer."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temper_trainer.errors import TrainerError
from temper_trainer.eval.metrics import metric_names, metric_of

VECTORS = json.loads((Path(__file__).parents[2] / "tests" / "fixtures" / "answers.json").read_text())["metrics"]
"""The same as the TypeScript side reads."""
exact_match, contains, json_equal = map(metric_of, ("exact_match", "contains", "json_equal"))


def regex(pattern: str):
    return metric_of("regex", pattern)


SPACE = st.text(alphabet=" \n\t", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.text(), SPACE, SPACE)
def test_exact_match_ignores_surrounding_space_only(text, before, after):
    assert exact_match(before + text + after, text)
    assert not exact_match(text + "x", text)
    assert not exact_match("a  b", "a b") and not exact_match("A", "a")


@given(st.text(), st.text(), st.text(min_size=1))
def test_contains_finds_the_expected_text_anywhere(before, after, expected):
    assert contains(before + expected + after, expected) or not expected.strip()
    assert not contains("", "x" + expected)


def test_contains_wants_nothing_where_nothing_is_expected():
    assert contains(" \n", "") and not contains("something", "")


@given(st.text(), st.text(), st.text())
def test_regex_takes_the_expected_text_literally(before, expected, after):
    inside = f"<{expected.strip()}>"
    assert regex("<{{ expected }}>")(before + inside + after, expected)
    assert regex("^{{expected}}$")(expected, expected)


def test_regex_searches_and_binds_operators_to_the_whole_expected_text():
    assert regex(r"\bdo: {{ expected }}\b")("so do: off", "off")
    assert not regex(r"^{{ expected }}$")("off now", "off")
    assert regex("^{{ expected }}?$")("", "off")
    assert not regex("^{{ expected }}?$")("of", "off")
    assert not regex("{{ expected }}")("axb", "a.b")
    assert regex("(?i)^{{ expected }}$")("OFF", "off")


def test_regex_refuses_a_pattern_that_is_none():
    with pytest.raises(TrainerError, match=re.escape('"({{ expected }}"')) as caught:
        regex("({{ expected }}")
    assert caught.value.exit_code == 2


@given(JSON)
def test_json_equal_ignores_layout_and_key_order(value):
    text = json.dumps(value)
    assert json_equal(json.dumps(value, indent=3, ensure_ascii=False), text)
    if isinstance(value, dict):
        assert json_equal(json.dumps(dict(reversed(value.items()))), text)
    assert not json_equal(json.dumps([value]), text)


@given(st.text())
def test_json_equal_never_fails_on_text(text):
    assert not json_equal(text + "}", '{"a": 1}')


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ("1", "1.0", True),
        ("1e2", "100", True),
        ("0.1", "0.1000000000000000055511151231257827", False),
        ("1e400", "1e500", False),
        ("true", "1", False),
        ("null", "false", False),
        ("NaN", "NaN", False),
        ("nonsense", "nonsense", False),
        ('{"a": 1}', '{"a": 1, "b": null}', False),
        ("[1, 2]", "[2, 1]", False),
        ("```json\n1\n```", "1", False),
        ("[" * 100_000, "[" * 100_000, False),
        ("1" * 5000, "1" * 5000, True),
    ],
)
def test_json_equal_by_example(answer, expected, same):
    assert json_equal(answer, expected) is same


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_metric_of_gives_the_verdicts_of_the_vectors(vector):
    metric = metric_of(vector["metric"], vector.get("pattern"), vector.get("reasoning", "exclude"))
    assert metric(vector["answer"], vector["expected"]) is vector["right"]


def test_vectors_cover_every_metric():
    assert {vector["metric"] for vector in VECTORS} | {"none"} == set(metric_names())
    assert metric_of("none") is None
