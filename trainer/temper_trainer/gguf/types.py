"""Numbers of tensor types in GGUF, as `enum ggml_type` has them."""

F32, F16, Q4_0, Q5_0, Q5_1, Q8_0, BF16 = 0, 1, 2, 6, 7, 8, 30
Q4_K, Q5_K, Q6_K = 12, 13, 14
