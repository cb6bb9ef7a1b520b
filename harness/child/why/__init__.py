"""Where the time of a call goes, and which change makes it shorter: found by experiment.

``calls.py`` gives a cell's calls in stages; ``profile.py`` runs them under TensorFlow's profiler;
``shares.py`` says what each event of the profile is, and ``sweep.py`` sums up what threads did at
once; ``calibration.py`` knows what the profiler itself costs. ``retraces.py`` watches traces,
``counters.py`` counts what is the same in every run, and ``patterns/`` has the changes that are
tried.
"""
