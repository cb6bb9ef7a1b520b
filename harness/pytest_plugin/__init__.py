"""The pytest plugin: a test's functions in every execution mode, each call compared with eager.

plugin.py             options, marker, fixture and hooks; imports nothing heavy
tf_modes.py           the fixture's value
checked_function.py   a function in one mode: what its calls return, raise, or fail the test with
pair.py               the two programs behind it, eager's and the mode's, judged by child/parity
exceptions.py         a mode's exception, raised as the user's own
messages.py, cause.py what a failing test says
random_state.py       the random streams of the test's process
structure.py          outputs in the structure that the function returns
timing.py             pytest-benchmark's fixture, where a test uses it together with ours
recording.py          the tests' results as a run's record
"""
