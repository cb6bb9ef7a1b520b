"""The parent: from a request to a run's folder. Free of TensorFlow."""
