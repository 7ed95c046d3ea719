"""Which chat template a job trains, and how it compares with the others there are."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..bases.base import Base
from ..errors import TrainerError
from ..files import read_json
from ..gguf.jinja import chat_template as as_jinja
from ..job.job import Job
from ..job.settings import Prefix, Template
from .chat import Answer, Chat, JinjaChat, difference
from .examples import Row
from .jinja import Jinja
from .linear_template import LinearChat, choose_template, content, out_of_place, render_prompt

SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class TemplateChoice:
    """The chat of a job, and how its texts compare with those of the base's own chat template and of linear ones."""

    def __init__(self, job: Job, base: Base, tokenizer: Any):
        self.base_template: str | None = base.info["chat_template"] or None
        self.tokenizer = tokenizer
        self.special = special_tokens(base.dir)
        self.end_texts = end_texts(base.dir, tokenizer, self.special)
        added = tokenizer.get_added_tokens_decoder().values()
        self.control = [token.content for token in added if token.special]
        self.added = [token.content for token in added if not token.special]
        self.bos = "" if base.info["bos"] is None else tokenizer.id_to_token(base.info["bos"])
        self.name = self._name(job)
        self.jinja: Jinja | None = None
        self.linear: Template | None = None
        if self.name is None:
            self.linear = choose_template(job, self.base_template, tokenizer)
            self.chat: Chat = LinearChat(self.linear)
        else:
            self.jinja = Jinja(job.chat_template if self.name == "file" else self.base_template, self.special)
            self.chat = self._chat(self.jinja)
        self.base_chat = self._base_chat()
        self.alike = [] if self.linear else [each for each in job.templates if fits(each, tokenizer)]
        self.matches: bool | None = None if self.base_template is None else True
        self.difference: dict[str, str] | None = None

    def _name(self, job: Job) -> str | None:
        """Where the chat template in Jinja comes from; None where it is a linear one."""
        if job.template == "jinja":
            return "file"
        linear = job.template != "auto" or self.base_template is None or isinstance(job.method, Prefix)
        return None if linear else "base"

    def _chat(self, jinja: Jinja) -> JinjaChat:
        return JinjaChat(jinja, self.control, self.end_texts, self.added)

    def _base_chat(self) -> JinjaChat | None:
        """What the trained template is compared with."""
        if self.base_template is None or self.name == "base":
            return None
        try:
            return self._chat(Jinja(self.base_template, self.special))
        except TrainerError:
            return None

    def compare(self, rows: list[Row], learnt: list[list[int]], answers: list[list[Answer]]) -> None:
        """Takes note of the first row that the base's own template, or a linear one, writes otherwise."""
        self.alike = [each for each in self.alike if self._equal(each, rows, learnt, answers)]
        if self.base_template is None or self.name == "base" or self.difference is not None:
            return
        for row, turns, ours in zip(rows, learnt, answers, strict=True):
            found = self._unlike(row, turns, ours)
            if found is not None:
                trained, base = found
                self.matches = False
                self.difference = {"row": row.origin, "base": base, "trained": trained}
                return

    def _unlike(self, row: Row, turns: list[int], ours: list[Answer]) -> tuple[str, str] | None:
        if self.base_chat is None:
            return ours[-1].whole[-60:], "no text: the base's chat template cannot be used"
        try:
            (theirs,) = self.base_chat.answers([row], [turns])
        except TrainerError as error:
            return ours[-1].whole[-60:], f"no text: {error.message}"
        pairs = zip(ours, theirs, strict=True)
        return next(
            filter(None, (difference(self._bare(a.whole), self._bare(b.whole)) for a, b in pairs)),
            None,
        )

    def _equal(self, template: Template, rows: list[Row], learnt: list[list[int]], answers: list[list[Answer]]) -> bool:
        """Whether a linear template gives the very same texts."""
        for row, turns, ours in zip(rows, learnt, answers, strict=True):
            if out_of_place(row) is not None:
                return False
            for turn, answer in zip(turns, ours, strict=True):
                prompt = render_prompt(template, row.messages[:turn])
                text, end = content(template, row.messages[turn]), template.stop[0]
                if self._bare(prompt) != self._bare(answer.prompt) or (text, end) != (answer.text, answer.end):
                    return False
        return True

    def _bare(self, text: str) -> str:
        return text.removeprefix(self.bos)

    def template_text(self) -> str:
        """The chat template that is trained, in Jinja."""
        return self.jinja.text if self.jinja else as_jinja(asdict(self.linear))

    def close(self) -> None:
        if self.jinja:
            self.jinja.close()
        if self.base_chat:
            self.base_chat.jinja.close()


def fits(template: Template, tokenizer: Any) -> bool:
    return all(tokenizer.token_to_id(text) is not None for text in template.stop)


def special_tokens(folder: Path) -> dict[str, str]:
    """The names a chat template may use: bos_token and the like."""
    config = (read_json(folder / "special_tokens_map.json") or {}) | (read_json(folder / "tokenizer_config.json") or {})
    found = {name: config.get(name) for name in SPECIAL}
    texts = {name: value["content"] if isinstance(value, dict) else value for name, value in found.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def end_texts(folder: Path, tokenizer: Any, special: dict[str, str]) -> list[str]:
    """The tokens that end an answer for the base, as far as its files say."""
    ids: list[int] = []
    for name in ("generation_config.json", "config.json"):
        value = (read_json(folder / name) or {}).get("eos_token_id")
        ids += value if isinstance(value, list) else [] if value is None else [value]
    texts = [tokenizer.id_to_token(index) for index in ids] + [special.get("eos_token")]
    return list(dict.fromkeys(text for text in texts if text and tokenizer.token_to_id(text) is not None))
