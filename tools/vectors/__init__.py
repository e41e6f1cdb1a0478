"""The test vectors, one module for each group of formats; see ../gen_vectors.py."""
