"""Child processes: started, followed, stopped. Free of TensorFlow."""
