"""Prints the token ids that the trainer gives its model for each eval row of a job: JOB_DIR."""

import json
import sys
from pathlib import Path

from temper_trainer.data.prepared import Prepared
from temper_trainer.eval.evaluate import prompt_of

prepared = Prepared(Path(sys.argv[1]) / "prepared" / "eval.safetensors")
print(json.dumps([prompt_of(prepared, index) for index in range(len(prepared))]))
