"""Linear chat templates: those that are the same text in Python, in Go and in Jinja."""

from collections.abc import Iterable
from typing import Any

from ..errors import TrainerError
from ..job.job import Job
from ..job.settings import Template
from .chat import Answer
from .examples import Message, Row


def choose_template(job: Job, chat_template: str | None, tokenizer: Any) -> Template:
    """The template job.json names or, for auto, the first that the base's own chat template shows."""
    if job.template != "auto":
        chosen = next(template for template in job.templates if template.name == job.template)
        for text in chosen.stop:
            if tokenizer.token_to_id(text) is None:
                message = f'Cannot use template "{chosen.name}" with this base: its vocabulary has no token "{text}"'
                raise TrainerError("bad_template", message, "Set the template to auto, or use another base")
        return chosen
    for template in job.templates:
        if matches(template, chat_template, tokenizer):
            return template
    names = ", ".join(template.name for template in job.templates)
    found = "none of them fits the base's own chat template" if chat_template else "the base has no chat template"
    message = f"Cannot choose among the templates {names}: {found}"
    raise TrainerError("bad_template", message, "Name one of them; its end token must be in the base's vocabulary")


def matches(template: Template, chat_template: str | None, tokenizer: Any) -> bool:
    if any(tokenizer.token_to_id(text) is None for text in template.stop):
        return False
    if chat_template is None:
        return all(tokenizer.token_to_id(text) is not None for text in template.detect)
    return all(text in chat_template for text in template.detect)


def content(template: Template, message: Message) -> str:
    return message["content"].strip() if template.strip else message["content"]


def render_turn(template: Template, message: Message) -> str:
    turn = template.turns[message["role"]]
    return turn.open + content(template, message) + turn.close


def render(template: Template, messages: Iterable[Message]) -> str:
    """The text of finished turns."""
    return template.prefix + "".join(render_turn(template, message) for message in messages)


def render_prompt(template: Template, messages: Iterable[Message]) -> str:
    """The text from which the assistant's next answer is generated."""
    return render(template, messages) + template.turns["assistant"].open


class LinearChat:
    """Conversations by a linear template, which has no place for tools and reasoning."""

    def __init__(self, template: Template):
        self.template = template

    def answers(self, rows: list[Row], learnt: list[list[int]]) -> list[list[Answer]]:
        return [[self._answer(row, turn) for turn in turns] for row, turns in zip(rows, learnt, strict=True)]

    def prompt(self, row: Row, reasons: bool) -> str:
        check_linear(self.template, row)
        return render_prompt(self.template, row.messages)

    def _answer(self, row: Row, turn: int) -> Answer:
        check_linear(self.template, row)
        template, text = self.template, content(self.template, row.messages[turn])
        found = next((stop for stop in template.stop if stop in text), None)
        if found:
            reason = f'the answer contains the end token "{found}", which would teach the model to stop there'
            raise TrainerError("bad_data", f'Cannot use row "{row.origin}": {reason}', rows=[row.origin])
        return Answer(render_prompt(template, row.messages[:turn]), text, template.stop[0])


def check_linear(template: Template, row: Row) -> None:
    found = out_of_place(row)
    if found is not None:
        message = f'Cannot use row "{row.origin}": template "{template.name}" has no place for {found}'
        hint = "Set provider.template to a .jinja file that writes it, or use a base whose chat template does"
        raise TrainerError("bad_data", message, hint, rows=[row.origin])


def out_of_place(row: Row) -> str | None:
    """What only a chat template in Jinja can write, if the row has it."""
    if row.tools:
        return "tools"
    if row.variables:
        return "chat_template_kwargs"
    for index, message in enumerate(row.messages):
        if message["role"] == "tool":
            return f"messages[{index}], the result of a tool"
        for name in ("tool_calls", "reasoning_content"):
            if message.get(name):
                return f"messages[{index}].{name}"
    return None
