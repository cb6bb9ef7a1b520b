"""TensorFlow as the children import it: lean, and quiet about the hardware it looks for."""

from in_process import start_tensorflow

start_tensorflow()
