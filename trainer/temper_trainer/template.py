"""Chat templates: the text of a conversation, and its tokens, exactly as they will be served."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .data import Message, Row
from .errors import TrainerError
from .job import Job, Template

PROBE = [
    {"role": "system", "content": "You are the probe."},
    {"role": "user", "content": "One?"},
    {"role": "assistant", "content": "Two."},
    {"role": "user", "content": "Three?"},
]


def choose_template(job: Job, chat_template: str | None, tokenizer: Any) -> Template:
    """The template job.json names or, for auto, the first that the base's own chat template shows."""
    if job.template != "auto":
        chosen = next(template for template in job.templates if template.name == job.template)
        for text in chosen.stop:
            if tokenizer.token_to_id(text) is None:
                message = f'Cannot use template "{chosen.name}" with this base: its vocabulary has no token "{text}"'
                raise TrainerError("bad_template", message, "Set the template to auto, or take another base")
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


def pieces(template: Template, row: Row) -> list[tuple[str, bool]]:
    """A conversation cut where generation begins and ends: texts, and whether the assistant wrote them."""
    result: list[tuple[str, bool]] = []
    text = template.prefix
    assistant = template.turns["assistant"]
    for message in row.messages:
        if message["role"] != "assistant":
            text += render_turn(template, message)
            continue
        answer = content(template, message)
        found = next((stop for stop in template.stop if stop in answer), None)
        if found:
            reason = f'the answer contains the end token "{found}", which would teach the model to stop there'
            raise TrainerError("bad_data", f'Cannot use row "{row.origin}": {reason}', rows=[row.origin])
        result += [(text + assistant.open, False), (answer, True)]
        text = assistant.close.removeprefix(template.stop[0])
    return result


class Encoder:
    """Turns text into token ids, prompts and answers apart, because that is how they meet in generation."""

    def __init__(self, tokenizer: Any, template: Template, bos: int | None = None):
        """`bos` is the token that the base's tokenizer, and so the server, puts before every prompt."""
        self.tokenizer = tokenizer
        self.template = without_bos(template, tokenizer, bos)
        self.start = [] if bos is None else [bos]
        self.stop_ids = [tokenizer.token_to_id(text) for text in template.stop]

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def encode_prompt(self, messages: Iterable[Message]) -> list[int]:
        return self.start + self.encode(render_prompt(self.template, messages))

    def encode_rows(self, rows: list[Row]) -> list[list[tuple[list[int], bool]]]:
        """Ids of each row's pieces; the first end token closes what the assistant wrote."""
        cut = [pieces(self.template, row) for row in rows]
        texts = [text for row in cut for text, _ in row]
        ids = iter([encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)])
        stop = self.stop_ids[0]
        encoded = [[([*next(ids), stop] if answered else next(ids), answered) for _, answered in row] for row in cut]
        return [[(self.start + first, answered), *rest] for (first, answered), *rest in encoded]

    def encode_whole(self, rows: list[Row]) -> list[list[int]]:
        """Ids of each row's text tokenised in one go, up to its last end token."""
        stop = self.template.stop[0]
        texts = [stop.join(render(self.template, row.messages).split(stop)[:-1]) + stop for row in rows]
        encodings = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [self.start + encoding.ids for encoding in encodings]


def without_bos(template: Template, tokenizer: Any, bos: int | None) -> Template:
    """Where the tokenizer puts BOS before every prompt, the template's own text for it would be a second one; servers
    leave it out too."""
    text = None if bos is None else tokenizer.id_to_token(bos)
    return replace(template, prefix=template.prefix.removeprefix(text)) if text else template


def renders_like(template: Template, chat_template: str | None, special: dict[str, str]) -> bool | None:
    """Whether the base's own chat template gives the same text; None where it has none or refuses the probe."""
    if chat_template is None:
        return None
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals |= {"raise_exception": refuse_probe, "strftime_now": lambda _: ""}
    try:
        text = environment.from_string(chat_template).render(messages=PROBE, add_generation_prompt=True, **special)
    except (TemplateError, TypeError, ValueError):
        return None
    return text == render_prompt(template, PROBE)


def refuse_probe(message: str) -> None:
    raise ValueError(message)
