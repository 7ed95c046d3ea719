"""Parts that most architectures share: a decoder layer with a gated MLP, in the order files usually have them."""

from .architecture import Part


def attention(bias: bool | str, output_bias: bool | str, rotated: bool = False) -> tuple[Part, ...]:
    """Queries, keys, values and output. `rotated`: rows of queries and keys have another order in GGUF."""
    heads, kv_heads = ("num_attention_heads", "num_key_value_heads") if rotated else (None, None)
    return (
        Part("attn_q", "self_attn.q_proj", ("query", "hidden"), bias, heads),
        Part("attn_k", "self_attn.k_proj", ("key_value", "hidden"), bias, kv_heads),
        Part("attn_v", "self_attn.v_proj", ("key_value", "hidden"), bias),
        Part("attn_output", "self_attn.o_proj", ("hidden", "query"), output_bias),
    )


def gated_mlp(bias: bool | str = False) -> tuple[Part, ...]:
    return (
        Part("ffn_gate", "mlp.gate_proj", ("feed_forward", "hidden"), bias),
        Part("ffn_up", "mlp.up_proj", ("feed_forward", "hidden"), bias),
        Part("ffn_down", "mlp.down_proj", ("hidden", "feed_forward"), bias),
    )


ATTENTION_NORM = Part("attn_norm", "input_layernorm", ("hidden",))
MLP_NORM = Part("ffn_norm", "post_attention_layernorm", ("hidden",))
HEAD_NORMS = (
    Part("attn_q_norm", "self_attn.q_norm", ("head_dim",)),
    Part("attn_k_norm", "self_attn.k_norm", ("head_dim",)),
)
