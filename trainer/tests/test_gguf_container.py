"""The container: read, written, copied and refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from gguf import GGUFReader, GGUFWriter
from gguf.constants import GGMLQuantizationType
from gguf.quants import quantize
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from temper_trainer.errors import TrainerError
from temper_trainer.gguf.changes import Changes
from temper_trainer.gguf.from_hf import write_from_hf
from temper_trainer.gguf.pieces import row_groups
from temper_trainer.gguf.reader import GgufFile
from temper_trainer.gguf.splice import splice
from temper_trainer.gguf.values import ARRAY, SCALARS, STRING, Value, boolean, f32, i32s, string, strings, u32
from temper_trainer.gguf.writer import GgufWriter

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = {
    code: st.integers(*limits)
    for code, limits in {
        "B": (0, 2**8 - 1),
        "b": (-(2**7), 2**7 - 1),
        "H": (0, 2**16 - 1),
        "h": (-(2**15), 2**15 - 1),
        "I": (0, 2**32 - 1),
        "i": (-(2**31), 2**31 - 1),
        "Q": (0, 2**64 - 1),
        "q": (-(2**63), 2**63 - 1),
    }.items()
} | {"f": st.floats(width=32), "d": st.floats(), "?": st.booleans()}


@st.composite
def scalars(draw):
    kind = draw(st.sampled_from(sorted(SCALARS)))
    return Value(kind, struct.pack("<" + SCALARS[kind], draw(NUMBERS[SCALARS[kind]])))


@st.composite
def arrays(draw, items):
    """Arrays of one type, which may be empty or hold arrays."""
    first = draw(items)
    others = draw(st.lists(items.filter(lambda value: value.kind == first.kind), max_size=3))
    chosen = draw(st.sampled_from([[], [first], [first, *others]]))
    return Value(ARRAY, struct.pack("<IQ", first.kind, len(chosen)) + b"".join(value.raw for value in chosen))


VALUES = st.recursive(scalars() | TEXT.map(string), arrays, max_leaves=6)
BLOCKS = {8: (32, 34), 2: (32, 18), 14: (256, 210)}
KINDS = {0: (1, 4), 1: (1, 2)} | BLOCKS
"""Values and bytes of a block."""


@st.composite
def tensors(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    block, in_bytes = KINDS[kind]
    shape = (*draw(st.lists(st.integers(1, 3), max_size=2)), block * draw(st.integers(1, 3)))
    size = int(np.prod(shape)) // block * in_bytes
    return kind, shape, np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)


def write(path: Path, kv: dict, found: dict, alignment: int = 32) -> Path:
    with GgufWriter(path, kv, {name: shape for name, (_, shape, _) in found.items()}, alignment) as out:
        for name, (kind, _, data) in found.items():
            out.write(name, kind, [data])
    return path


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(TEXT, VALUES, max_size=5),
    st.dictionaries(TEXT, tensors(), max_size=4),
    st.sampled_from([8, 32, 64]),
)
def test_splice_copies_any_file_byte_for_byte(tmp_path_factory, kv, found, alignment):
    kv = {key: value for key, value in kv.items() if key != "general.alignment"}
    kv["general.alignment"] = u32(alignment)
    folder = tmp_path_factory.mktemp("copy")
    source = write(folder / "a.gguf", kv, found, alignment)
    file = GgufFile(source)
    assert file.kv == kv
    assert {name: (t.type, t.shape) for name, t in file.tensors.items()} == {
        n: (k, s) for n, (k, s, _) in found.items()
    }
    assert write(folder / "b.gguf", file.kv, as_read(file), alignment).read_bytes() == source.read_bytes()
    if all(kind in BLOCKS or (kind == 0 and len(shape) == 1) for kind, shape, _ in found.values()):
        splice(file, folder / "c.gguf", [], "q8_0", Changes(), lambda *_: None)
        assert (folder / "c.gguf").read_bytes() == source.read_bytes()


def as_read(file: GgufFile) -> dict:
    return {name: (tensor.type, tensor.shape, file.data(name)) for name, tensor in file.tensors.items()}


def sample_kv() -> dict[str, Value]:
    return {
        "general.architecture": string("llama"),
        "empty": string(""),
        "none": strings([]),
        "nested": Value(ARRAY, struct.pack("<IQ", ARRAY, 2) + i32s([1, 2]).raw + i32s([]).raw),
        "words": strings(["東京", "", "a b"]),
        "yes": boolean(True),
        "third": f32(1 / 3),
    }


def test_reader_agrees_with_the_gguf_package(tmp_path):
    writer = GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_array("words", ["a", "東京", "c"])
    writer.add_array("numbers", [1, -2, 3])
    writer.add_float32("third", 1 / 3)
    values = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
    for kind in (GGMLQuantizationType.F32, GGMLQuantizationType.BF16, GGMLQuantizationType.Q4_0):
        writer.add_tensor(kind.name, quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    file, other = GgufFile(tmp_path / "a.gguf"), GGUFReader(tmp_path / "a.gguf")
    assert {key: file.get(key) for key in file.kv} == {
        key: field.contents() for key, field in other.fields.items() if not key.startswith("GGUF.")
    }
    assert np.array_equal(file.values("F32"), values)
    assert abs(file.values("BF16") - values).max() < 0.02
    for tensor in other.tensors:
        assert file.data(tensor.name).tobytes() == tensor.data.tobytes()


def test_writer_is_read_by_the_gguf_package(tmp_path):
    data = np.arange(64, dtype=np.float32).reshape(2, 32)
    found = {"a": (0, (2, 32), data.reshape(-1).view(np.uint8)), "b": (0, (32,), data[0].view(np.uint8))}
    other = GGUFReader(write(tmp_path / "a.gguf", sample_kv() | {"nested": u32(1)}, found))
    assert [field.contents() for field in other.fields.values()][3:] == [
        "llama",
        "",
        [],
        1,
        ["東京", "", "a b"],
        True,
        np.float32(1 / 3).item(),
    ]
    assert np.array_equal(other.tensors[0].data, data)


def test_reader_refuses_a_file_cut_anywhere(tmp_path):
    data = np.zeros(256, np.uint8)
    whole = write(tmp_path / "a.gguf", sample_kv(), {"a": (0, (64,), data), "b": (0, (64,), data)}).read_bytes()
    short = tmp_path / "b.gguf"
    for length in range(len(whole)):
        short.write_bytes(whole[:length])
        with pytest.raises(TrainerError) as caught:
            GgufFile(short)
        assert caught.value.code == "damaged_base"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_reader_survives_any_changed_byte(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    found = {"a": (0, (4,), np.zeros(16, np.uint8))}
    whole = bytearray(write(folder / "a.gguf", sample_kv(), found).read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (folder / "b.gguf").write_bytes(whole)
    try:
        file = GgufFile(folder / "b.gguf")
    except TrainerError as error:
        assert error.code == "damaged_base"
    else:
        assert all(file.kv[key].kind in {*SCALARS, STRING, ARRAY} for key in file.kv)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04" + bytes(60), "it does not start with GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0) + bytes(32), "version 1"),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 2**63) + struct.pack("<QIQ", 0, 8, 2**62),
            "a metadata value is truncated",
        ),
    ],
)
def test_reader_says_what_is_wrong(tmp_path, content, words):
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(TrainerError, match=words):
        GgufFile(tmp_path / "a.gguf")


def test_writer_refuses_a_missing_tensor_and_a_wrong_size(tmp_path):
    with (
        pytest.raises(ValueError, match="not written: b"),
        GgufWriter(tmp_path / "a", {}, {"a": (8,), "b": (8,)}) as out,
    ):
        out.write("a", 0, [np.zeros(8, np.float32)])
    with pytest.raises(ValueError, match="28 bytes"), GgufWriter(tmp_path / "a", {}, {"a": (8,)}) as out:
        out.write("a", 0, [np.zeros(7, np.float32)])


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_pieces_of_any_size_give_the_same_file(tmp_path, monkeypatch, dtype):
    """From a folder and from a file, with rows that change places and rows that do not."""
    folder = tiny.make_base(tmp_path / "hf", "llama")
    path = folder / "model.safetensors"
    tensors = {name: tensor.to(getattr(torch, dtype)) for name, tensor in load_file(path).items()}
    save_file(tensors, path, {"format": "pt"})
    found = []
    for piece in (1 << 24, 64 * 7, 1):
        monkeypatch.setattr("temper_trainer.gguf.pieces.PIECE", piece)
        first, second = tmp_path / f"{piece}-a.gguf", tmp_path / f"{piece}-b.gguf"
        write_from_hf(folder, first, [], "q8_0", Changes(), lambda *_: None)
        splice(GgufFile(first), second, [], "f16", Changes(), lambda *_: None)
        found.append(first.read_bytes() + second.read_bytes())
    assert found[0] == found[1] == found[2]


def test_row_groups_cover_every_row_once(monkeypatch):
    monkeypatch.setattr("temper_trainer.gguf.pieces.PIECE", 100)
    assert list(row_groups((10, 30))) == [slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 10)]
    assert list(row_groups((2, 1000))) == [slice(0, 1), slice(1, 2)]
    assert list(row_groups((1000,))) == [slice(None)]
