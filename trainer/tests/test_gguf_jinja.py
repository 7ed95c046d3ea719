"""The chat template in the file against the text that was trained."""

import tiny

from temper_trainer.gguf.jinja import chat_template
from temper_trainer.job import Template, Turn
from temper_trainer.template import render_prompt


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
