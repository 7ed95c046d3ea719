"""Readers of downloaded files meet bytes that nobody meant: a result or a TrainerError, and nothing else."""

import json
import os
import struct

import numpy as np
import pytest
from gguf import GGUFWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from temper_trainer.bases.weights import Weights
from temper_trainer.errors import TrainerError
from temper_trainer.gguf.reader import GgufFile

INPUTS = int(os.environ.get("TEMPER_FUZZ_INPUTS", "300"))
"""Of each reader; `TEMPER_FUZZ_INPUTS=100000` is the long form."""

many = settings(
    max_examples=INPUTS,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
INTEGERS = st.sampled_from([0, 1, 7, 127, 128, 2**16, 2**31 - 1, 2**32 - 1, 2**53, 2**63, 2**64 - 1])
PIECES = st.binary(max_size=24) | st.builds(lambda n: struct.pack("<Q", n), INTEGERS)


@st.composite
def changed(draw, sample: bytes, words: st.SearchStrategy[bytes] = PIECES) -> bytes:
    """The sample with a few places replaced, removed, repeated or cut."""
    data = sample
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        removed = draw(st.sampled_from([0, 0, 1, 4, 8, len(data)]))
        data = data[:at] + draw(PIECES | words) + data[at + removed :]
    return data


def gguf_sample(path) -> bytes:
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_string("general.name", "tiny ü")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b", "c"])
    writer.add_array("tokenizer.ggml.scores", [0.5, 1.5, 2.5])
    writer.add_tensor("token_embd.weight", np.arange(96, dtype=np.float32).reshape(3, 32))
    writer.add_tensor("output_norm.weight", np.ones(32, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def read_gguf(path) -> None:
    file = GgufFile(path)
    for key in file.kv:
        file.get(key)
    for name, tensor in file.tensors.items():
        assert file.data(name).nbytes == tensor.bytes


HEADER = {
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
}
JSON_WORDS = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b"-1",
        b"1e999",
        b"2.0",
        b"null",
        b"true",
        b'""',
        b"NaN",
        b'"F32"',
        b"[" * 3000,
        b'{"a":' * 3000,
    ]
)


def weights_file(header: bytes, data: bytes = bytes(32)) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def read_weights(path) -> None:
    weights = Weights(path)
    for name, entry in weights.entries.items():
        assert weights.data(name).nbytes == entry.bytes
        assert weights.read(name).nbytes == entry.bytes
        if entry.dtype in ("F64", "F32", "F16", "BF16"):
            assert weights.values(name).shape == entry.shape


def answers(read, path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        read(path)
    except TrainerError as error:
        assert len(error.message) > 20 and error.hint


@pytest.fixture(scope="module")
def gguf(tmp_path_factory) -> bytes:
    return gguf_sample(tmp_path_factory.mktemp("sample") / "sample.gguf")


@many
@given(data=st.data())
def test_gguf_reader_answers_whatever_it_is_given(data, gguf, tmp_path):
    answers(read_gguf, tmp_path / "x.gguf", data.draw(changed(gguf)))


@many
@given(data=st.data())
def test_weights_reader_answers_whatever_it_is_given(data, tmp_path):
    """Half of the headers keep a true length, so that what is inside is reached."""
    header = json.dumps(HEADER).encode()
    whole = data.draw(st.booleans())
    content = changed(header, JSON_WORDS) if whole else changed(weights_file(header), JSON_WORDS)
    drawn = data.draw(content)
    answers(read_weights, tmp_path / "x.safetensors", weights_file(drawn) if whole else drawn)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2, 3], "data_offsets": [0.0, 24.0]},
        {"dtype": "F32", "shape": [-2, -3], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [2.0, 3], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [True, 6], "data_offsets": [False, 24]},
        {"dtype": ["F32"], "shape": [6], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": 6, "data_offsets": [0, 24]},
    ],
)
def test_weights_reader_refuses_numbers_that_are_no_counts(tmp_path, entry):
    path = tmp_path / "x.safetensors"
    path.write_bytes(weights_file(json.dumps({"a": entry}).encode()))
    with pytest.raises(TrainerError, match="its header cannot be read"):
        Weights(path)


def test_weights_reader_refuses_json_that_is_nested_without_end(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(weights_file(b'{"a":' * 100_000))
    with pytest.raises(TrainerError, match="its header cannot be read"):
        Weights(path)


def test_gguf_reader_refuses_arrays_that_are_nested_without_end(tmp_path, gguf):
    arrays = struct.pack("<IQ", 9, 1) * 100_000
    pair = struct.pack("<Q", 1) + b"k" + struct.pack("<I", 9) + arrays
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair)
    with pytest.raises(TrainerError, match="Cannot read GGUF file"):
        read_gguf(path)
