"""What every test shares: one tiny base of each architecture, made once."""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

# Tiny models gain nothing from a second thread and lose much where other tests run beside them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import tiny


def pytest_configure(config):
    # A busy machine is no failure
    hypothesis.settings.register_profile("temper", deadline=None)
    hypothesis.settings.load_profile("temper")
    config.addinivalue_line("markers", "slow: takes more than 20 s")


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory) -> Path:
    return tiny.make_base(tmp_path_factory.mktemp("llama") / "base", "llama")


@pytest.fixture(scope="session")
def tiny_qwen2(tmp_path_factory) -> Path:
    return tiny.make_base(tmp_path_factory.mktemp("qwen2") / "base", "qwen2", tied=False)


@pytest.fixture(scope="session")
def tiny_qwen3(tmp_path_factory) -> Path:
    return tiny.make_base(tmp_path_factory.mktemp("qwen3") / "base", "qwen3")
