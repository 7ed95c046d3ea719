"""How tests start the trainer as a process of its own."""

import os
import sys

REAL_PYTHON = sys.executable

# One that has imported the trainer's libraries already, where `deno task test` gives one: a start takes 4 s less
TRAINER_PYTHON = os.environ.get("TEMPER_TEST_WARM_PYTHON", REAL_PYTHON)
