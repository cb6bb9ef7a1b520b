"""Some of these tests also build programs in their own process."""

from in_process import start_tensorflow

start_tensorflow()
