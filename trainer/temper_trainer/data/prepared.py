"""prepared/*.safetensors: tokens and label masks, written in one pass and read without loading them."""

import json
import os
import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import TrainerError
from ..files import sync_folder, write_atomic


class PreparedWriter:
    """Appends rows; memory holds the offsets alone. `close()` makes the file appear, `discard()` gives it up."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.parts = {name: path.with_name(f".{path.name}.{name}") for name in ("tokens", "labels")}
        self.files = {name: open(part, "wb") for name, part in self.parts.items()}  # noqa: SIM115
        self.offsets = array("q", [0])

    def append(self, tokens: Sequence[int], labels: Sequence[int]) -> None:
        self.files["tokens"].write(np.asarray(tokens, "<i4").tobytes())
        self.files["labels"].write(np.asarray(labels, "u1").tobytes())
        self.offsets.append(self.offsets[-1] + len(tokens))

    def discard(self) -> None:
        """Leaves nothing behind."""
        for name, file in self.files.items():
            file.close()
            self.parts[name].unlink(missing_ok=True)

    def close(self) -> None:
        total = self.offsets[-1]
        offsets = np.frombuffer(self.offsets, "i8").astype("<i8")
        sizes = [("offsets", "I64", offsets.nbytes), ("tokens", "I32", total * 4), ("labels", "U8", total)]
        header, start = {}, 0
        for name, dtype, size in sizes:
            shape = [len(offsets) if name == "offsets" else total]
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, start + size]}
            start += size
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        with open(temporary, "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text + offsets.tobytes())
            for name, file in self.files.items():
                file.close()
                with open(self.parts[name], "rb") as part:
                    while chunk := part.read(1 << 20):
                        out.write(chunk)
                self.parts[name].unlink()
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, self.path)
        sync_folder(self.path.parent)


class Prepared:
    """Rows of a prepared file, read where they are needed."""

    def __init__(self, path: Path):
        try:
            with open(path, "rb") as file:
                (size,) = struct.unpack("<Q", file.read(8))
                header = json.loads(file.read(size))
            self.tokens, self.labels, self.offsets = (
                memory_map(path, 8 + size, header[name], dtype)
                for name, dtype in (("tokens", "<i4"), ("labels", "u1"), ("offsets", "<i8"))
            )
            if self.offsets[-1] != len(self.tokens) or len(self.labels) != len(self.tokens):
                raise ValueError("its parts do not fit together")
        except FileNotFoundError:
            raise TrainerError("not_prepared", f'Cannot read "{path}": run prepare first') from None
        except (ValueError, KeyError, struct.error) as error:
            message = f'Cannot read "{path}": it is damaged: {error}'
            raise TrainerError("not_prepared", message, "Run prepare again") from None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and labels of one row."""
        start, end = self.offsets[index], self.offsets[index + 1]
        return self.tokens[start:end], self.labels[start:end]

    def lengths(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        rows = np.asarray(rows)
        return self.offsets[rows + 1] - self.offsets[rows]


def memory_map(path: Path, start: int, entry: dict, dtype: str) -> np.ndarray:
    return np.memmap(path, dtype, "r", offset=start + entry["data_offsets"][0], shape=tuple(entry["shape"]))


@dataclass(frozen=True)
class EvalText:
    """A row of prepared/eval.jsonl: what is asked and expected, as text."""

    prompt: str
    expected: str
    few_shot: str | None
    """The prompt with instructions and examples, where it is asked for."""


def write_eval_texts(path: Path, texts: Iterable[EvalText]) -> None:
    lines = [json.dumps(asdict(text), ensure_ascii=False) + "\n" for text in texts]
    write_atomic(path, "".join(lines).encode("utf-8", "surrogatepass"))


def read_eval_texts(path: Path) -> list[EvalText]:
    try:
        lines = path.read_bytes().decode("utf-8", "surrogatepass").split("\n")
        return [EvalText(**json.loads(line)) for line in lines if line]
    except FileNotFoundError:
        raise TrainerError("not_prepared", f'Cannot read "{path}": run prepare first') from None
    except (ValueError, TypeError) as error:
        message = f'Cannot read "{path}": it is damaged: {error}'
        raise TrainerError("not_prepared", message, "Run prepare again") from None
