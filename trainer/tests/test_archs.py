"""The architectures: each is one file, and the pipeline's check knows them from archs.json."""

import json
from pathlib import Path

from temper_trainer.archs import architecture_of, architecture_of_gguf, architectures
from temper_trainer.archs.listing import listing

ROOT = Path(__file__).parents[1]


def test_archs_json_says_what_the_files_say():
    renew = "run `python -m temper_trainer archs > archs.json` in trainer/"
    assert json.loads((ROOT / "archs.json").read_text()) == json.loads(json.dumps(listing())), renew


def test_every_file_is_found_and_no_type_twice():
    types = [arch.model_type for arch in architectures()]
    assert sorted(types) == sorted(set(types))
    files = {path.stem for path in (ROOT / "temper_trainer" / "archs").glob("*.py")}
    assert set(types) <= files


def test_a_gguf_file_is_read_as_one_architecture():
    for arch in architectures():
        assert architecture_of(arch.model_type) is arch
        assert architecture_of_gguf(arch.gguf).gguf == arch.gguf
    readable = [arch.gguf for arch in architectures() if arch.reads_gguf]
    assert sorted(readable) == sorted(set(readable))
    assert architecture_of("martian") is None and architecture_of_gguf(None) is None
