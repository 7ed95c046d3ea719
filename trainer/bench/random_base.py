"""A base of random weights in the shape of a real one, for measurements that do not depend on their values.

python random_base.py FOLDER
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import tiny

SHAPE = {
    "vocab_size": 32_768,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
}
"""410 million parameters."""

if __name__ == "__main__":
    tiny.make_base(Path(sys.argv[1]), "llama", **SHAPE)
