"""A ``tf.function`` that is made anew in every call, and traced anew with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.retrace_remedies import changed_calls
from eager_vs_graph.results.why import TRACING

_SHARE = 0.05


def _seen(look: Look) -> str:
    share = look.share(TRACING)
    if share < _SHARE:
        return ""
    return f"functions are traced again and again, which takes {100 * share:.0f}% of a call"


@contextmanager
def _change(look: Look) -> Iterator[None]:
    """The first of all functions of one code is called in place of the others."""
    with ExitStack() as stack:
        for code in dict.fromkeys(code for _, code in look.traces.again()):
            stack.enter_context(changed_calls(code, []))
        yield


PATTERN = Pattern(
    name="traced in the call",
    seen=_seen,
    remedy="make each tf.function once, before the calls, with reduce_retracing=True",
    change=_change,
)
