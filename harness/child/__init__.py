"""The child process: the only kind that imports TensorFlow. It builds, checks, explains, times."""
