"""The record of a run and its schema: the only source of truth. Free of TensorFlow."""
