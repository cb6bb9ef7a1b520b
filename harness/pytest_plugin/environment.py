"""What the tests of this process ran on; asked once."""

from __future__ import annotations

import functools
from typing import Any

from eager_vs_graph.child import environment


@functools.cache
def described() -> dict[str, Any]:
    """Versions, processor, threads and flags, as every run's record has them."""
    return environment.describe()
