"""A start through the warm server is the interpreter's own in all that a program and its starter can tell."""

import fcntl
import json
import os
import signal
import subprocess

import pytest
from starts import REAL_PYTHON, TRAINER_PYTHON

pytestmark = pytest.mark.skipif(TRAINER_PYTHON == REAL_PYTHON, reason="no warm Python was given")

# As it is before other tests add to it, such as what main() sets for OpenMP
ENVIRONMENT = dict(os.environ)
BOTH = pytest.mark.parametrize("python", [TRAINER_PYTHON, REAL_PYTHON], ids=["warm", "real"])
# The word that makes the server take it
MARK = "# temper_trainer\n"
TOLD = """
import json, os, sys
print(json.dumps({
    "argv": sys.argv, "cwd": os.getcwd(), "env": dict(os.environ), "read": sys.stdin.read(), "path": sys.path[:2],
    "group": os.getpgrp() == os.getpid(), "warm": "torch" in sys.modules, "name": __name__,
}))
print("said", file=sys.stderr)
"""


def start(python: str, code: str, *arguments: str, **options) -> subprocess.Popen:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [python, "-c", MARK + code, *arguments], **(pipes | options), text=True, start_new_session=True
    )


def test_a_program_is_told_the_same(tmp_path):
    env = ENVIRONMENT | {"PYTHONPATH": f"{tmp_path}:/elsewhere", "PYTHONSAFEPATH": "1", "OWN": "naïve"}
    told = {}
    for python in (TRAINER_PYTHON, REAL_PYTHON):
        process = start(python, TOLD, "a b", '"', env=env, cwd=tmp_path)
        out, err = process.communicate("given\n")
        assert (process.returncode, err) == (0, "said\n")
        told[python] = json.loads(out)
    assert told[TRAINER_PYTHON].pop("warm") and not told[REAL_PYTHON].pop("warm")
    assert told[TRAINER_PYTHON] == told[REAL_PYTHON]


@BOTH
@pytest.mark.parametrize(
    ("code", "end", "said"),
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('words')", 1, "words\n"),
        ("import sys; sys.exit(None)", 0, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os._exit(3)", 3, ""),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("import os; os.kill(os.getpid(), 15)", -15, ""),
        ("import atexit; atexit.register(print, 'at the end')", 0, ""),
    ],
)
def test_a_program_ends_the_same(python, code, end, said):
    process = start(python, code)
    out, err = process.communicate()
    assert process.returncode == end
    assert said in err
    assert out == ("at the end\n" if "atexit" in code else "")


@BOTH
def test_no_two_programs_draw_the_same_numbers(python):
    code = "import random, numpy\nprint(random.random(), numpy.random.random())"
    first, second = (start(python, code).communicate()[0].split() for _ in range(2))
    assert len(first) == 2
    assert set(first).isdisjoint(second)


@BOTH
def test_sigterm_reaches_the_program(python):
    code = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(130))\nprint(1, flush=True)\nsignal.pause()"
    process = start(python, code)
    assert process.stdout.readline() == "1\n"
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate()
    assert process.returncode == 130


@BOTH
def test_a_killed_program_lets_go_of_what_it_held(python, tmp_path):
    lock = tmp_path / "lock"
    code = "import fcntl, sys, time\nfile = open(sys.argv[1], 'w')\nfcntl.flock(file, 2)\nprint(1, flush=True)\n"
    process = start(python, code + "time.sleep(600)", str(lock))
    assert process.stdout.readline() == "1\n"
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with open(lock) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
