"""The chat template in the file against the text that was trained."""

import tiny
from hypothesis import given
from hypothesis import strategies as st

from temper_trainer.data.linear_template import render_prompt
from temper_trainer.gguf.jinja import MARK, chat_template
from temper_trainer.job.settings import Template, Turn


def as_template(fields: dict) -> Template:
    return Template(**fields | {"turns": {role: Turn(**turn) for role, turn in fields["turns"].items()}})


def test_chat_template_renders_the_linear_text():
    from transformers.utils.chat_template_utils import render_jinja_template

    odd = tiny.CHATML | {"prefix": 'é "x"\\ {% if %}\n', "strip": True}
    odd["turns"] = odd["turns"] | {"user": {"open": "\n\nUser's:\t", "close": "{{ end }}\n\n"}}
    messages = [*tiny.conversation("  hello \n", " there "), {"role": "user", "content": "</s>"}]
    for template in (tiny.CHATML, odd):
        (text,), _ = render_jinja_template(
            [messages], chat_template=chat_template(template), add_generation_prompt=True
        )
        assert text == render_prompt(as_template(template), messages)


PIECES = ["\n", "  ", "x", "{% if true %}", "{% endif %}", "{{ 'y' }}", "{%- if true -%}", "{# c #}", "{#- c -#}"]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_the_mark_changes_no_text(pieces):
    from jinja2 import TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # As transformers sets it.
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    text = "".join(pieces)
    try:
        plain = environment.from_string(text).render()
    except TemplateSyntaxError:
        return
    assert environment.from_string(MARK + text).render() == plain
