"""Templates that ask for the day are told the same one in training and by every server."""

import pytest

from temper_trainer.data.jinja import Jinja, Request

TURN = [{"role": "user", "content": "hi"}]
CASES = {
    'Day: {{ strftime_now("%d %b %Y") }}': "Day: 26 Jul 2024",
    # llama.cpp gives these two to every template, whether or not the template asks a clock.
    "{% if not date_string is defined %}{% set date_string = 'none' %}{% endif %}{{ date_string }}": "26 Jul 2024",
    "{{ datetime }}": "Jul 26 2024",
    "\n  {% if true %}x{% endif %}{{ strftime_now('%Y') }}": "\nx2024",
}


@pytest.mark.parametrize(("template", "text"), CASES.items())
def test_the_day_is_fixed_in_the_template_itself(template, text):
    jinja = Jinja(template, {})
    try:
        assert jinja.date == "2024-07-26"
        assert jinja.render([Request(TURN, None, True, {})], ["a:1"]) == [text]
        # A row's own value would not reach the text, so that it is not among what a row may set.
        assert not {"date_string", "datetime"} & jinja.reads
    finally:
        jinja.close()
    again = Jinja(jinja.text, {})
    try:
        assert again.render([Request(TURN, None, True, {})], ["a:1"]) == [text]
    finally:
        again.close()
