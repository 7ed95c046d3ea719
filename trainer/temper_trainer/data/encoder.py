"""Texts as token ids."""

from collections.abc import Collection, Iterable
from typing import Any

from .chat import Answer

SPACE = "\u2581"
"""How SentencePiece writes a space."""

Part = tuple[list[int], bool]
"""Token ids, and whether they are learnt."""


class Encoder:
    """Turns text into token ids, prompts and answers apart, because that is how they meet in generation."""

    def __init__(self, tokenizer: Any, stop: Iterable[str], bos: int | None = None, markup: Collection[str] = ()):
        """`bos` is the token that the base's tokenizer, and so the server, puts before every prompt, `markup` the
        special tokens that answers are made of."""
        self.tokenizer = tokenizer
        self.start = [] if bos is None else [bos]
        self.bos_text = "" if bos is None else tokenizer.id_to_token(bos)
        self.stop_ids = [tokenizer.token_to_id(text) for text in stop]
        first = tokenizer.encode("a", add_special_tokens=False).tokens[:1]
        self.prepends = bool(first) and first[0].startswith(SPACE)
        """Whether the tokenizer puts a space before any text, and so also where an answer goes on from its prompt."""
        self.hidden = {
            index
            for index, token in tokenizer.get_added_tokens_decoder().items()
            if token.special and token.content not in markup
        }

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def encode_prompt(self, text: str) -> list[int]:
        return self.start + self.encode(self.without_bos(text))

    def encode_samples(self, samples: list[list[Answer]]) -> list[list[Part]]:
        """Ids of each sample's parts, what is read and what is learnt in turn."""
        cut = [self._cut(sample) for sample in samples]
        texts = [text for parts in cut for pair in parts for text in pair]
        ids = iter([encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)])
        encoded = []
        for sample, pairs in zip(samples, cut, strict=True):
            parts: list[Part] = []
            for answer, pair in zip(sample, pairs, strict=True):
                read, said = next(ids), next(ids)
                if self.prepends:
                    said = self._going_on(*pair, read, said)
                parts += [(read, False), ([*said, self.tokenizer.token_to_id(answer.end)], True)]
            parts[0] = (self.start + parts[0][0], False)
            encoded.append(parts)
        return encoded

    def encode_whole(self, samples: list[list[Answer]]) -> list[list[int]]:
        """Ids of each sample's text tokenised in one go."""
        texts = [self.without_bos(sample[-1].whole) for sample in samples]
        encodings = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [self.start + encoding.ids for encoding in encodings]

    def decode(self, ids: list[int]) -> str:
        """The text of an answer, with the special tokens that answers are made of and no others, as servers show it."""
        return self.tokenizer.decode([i for i in ids if i not in self.hidden], skip_special_tokens=False)

    def without_bos(self, text: str) -> str:
        """Where the tokenizer puts BOS before every prompt, the template's own text for it would be a second one;
        servers leave it out too."""
        return text.removeprefix(self.bos_text)

    def _going_on(self, prompt: str, answer: str, read: list[int], apart: list[int]) -> list[int]:
        """Ids of the answer without a space before it that its text does not have."""
        whole = self.encode(prompt + answer)
        return whole[len(read) :] if whole[: len(read)] == read else apart

    def _cut(self, sample: list[Answer]) -> list[tuple[str, str]]:
        """What is read before each answer, and the answer."""
        cut, start = [], 0
        for answer in sample:
            read = answer.prompt[start:]
            cut.append((read if start else self.without_bos(read), answer.text))
            start = len(answer.whole)
        return cut
