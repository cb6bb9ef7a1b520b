"""The last meaningful lines of what a process printed before it ended."""

from __future__ import annotations

from eager_vs_graph.processes.python import last_lines

ABORTED = """
2026-01-01 00:00:00.000000: E external/local_xla/xla/stream_executor/cuda.cc:1] cuInit: UNKNOWN
Fatal Python error: Aborted

Thread 0x00007f0001 (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 982 in run
  File "/usr/lib/python3.11/threading.py", line 1045 in _bootstrap_inner

Current thread 0x00007f0002 (most recent call first):
  File "/env/lib/python3.11/site-packages/tensorflow/python/eager/execute.py", line 53 in quick
  File "/home/me/steps.py", line 12 in step
  File "<string>", line 1 in <module>

Extension modules: numpy.core._multiarray_umath, h5py._errors (total: 112)
"""


def test_a_fatal_error_names_the_users_line_of_its_own_thread():
    expected = ': Fatal Python error: Aborted | File "/home/me/steps.py", line 12 in step'
    assert last_lines(ABORTED) == expected


def test_a_message_of_tensorflows_before_it_is_kept():
    fatal = "F tensorflow/core/framework/tensor.cc:1] Check failed: 1 == 2"
    text = f"{fatal}\n{ABORTED[ABORTED.index('Fatal') :]}"
    assert last_lines(text).startswith(f": {fatal} | Fatal Python error: Aborted | File ")


def test_the_greeting_of_tensorflow_is_no_reason():
    greeting = "2026-01-01 00:00:00.000000: I tensorflow/core/platform/cpu_feature_guard.cc:1] This"
    assert last_lines(greeting) == ""
    assert last_lines(f"{greeting}\nKilled\n\n") == ": Killed"


def test_of_many_lines_the_last_are_told():
    assert last_lines("\n".join("abcdef")) == ": d | e | f"


def test_an_abort_while_a_file_is_imported_names_its_line():
    stack = (
        "Fatal Python error: Aborted\n\nCurrent thread 0x1 (most recent call first):\n"
        '  File "/home/me/steps.py", line 3 in <module>\n  File "<frozen importlib>", line 1 in f\n'
    )
    assert last_lines(stack).endswith('| File "/home/me/steps.py", line 3 in <module>')
