"""``python -m eager_vs_graph``; in a checkout also ``python -m harness``.

Python puts the working directory first on the path of ``python -m``. A ``random.py`` of the user's
that happens to lie there must not take the place of the standard library's, so it is taken off
before anything else is imported.
"""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - see above
    del sys.path[0]

from eager_vs_graph.cli import main

if __name__ == "__main__":
    main()
