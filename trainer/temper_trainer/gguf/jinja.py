"""The linear template of a job as a chat template, so that the file itself carries the prompt that was trained."""

import json
from typing import Any

MARK = (
    "{# "
    + "═" * 100
    + """
   The chat template of the training. Ollama replaces a template by its own where fewer than 100 characters tell it
   from one that Ollama knows; those above are in none of them. #}
"""
)
"""Goes before a chat template in Jinja and leaves its text as it is: the line break behind a comment is dropped."""


def chat_template(template: dict[str, Any]) -> str:
    """Renders exactly what `template` describes. Written without white-space control: every character counts."""
    content = "message['content'] | trim" if template["strip"] else "message['content']"
    branches = []
    for role, turn in template["turns"].items():
        keyword = "elif" if branches else "if"
        body = f"{_output(_text(turn['open']))}{_output(content)}{_output(_text(turn['close']))}"
        branches.append(f"{{% {keyword} message['role'] == {_text(role)} %}}{body}")
    opening = _output(_text(template["turns"]["assistant"]["open"]))
    return (
        _output(_text(template["prefix"]))
        + "{% for message in messages %}"
        + "".join(branches)
        + "{% endif %}{% endfor %}{% if add_generation_prompt %}"
        + opening
        + "{% endif %}"
    )


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _output(expression: str) -> str:
    return "" if expression == '""' else f"{{{{ {expression} }}}}"
