"""Why modes disagree: experiments that run the two programs again with one thing changed.

    plan ──> laboratory: a program run under a condition gives an observation
                │
             causes/*.py, one a cause: compare observations, give causes with their evidence
                │
             engine: parity's word, who is right, the causes, what was excluded
                │
             fresh.py: the conditions that need a process of their own
                │
             eager_vs_graph.results.explanation.Explanation ──> terminal, --reproduce

A cause is named when changing its condition, and nothing else, removes the disagreement or makes
it. What cannot be shown in that way is not named.
"""
