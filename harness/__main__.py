"""``python -m harness``.

Python puts the working directory first on the path of ``python -m``. A ``random.py`` or a folder
``reports`` of the user's that happens to lie there must not take the place of the standard
library's or ours, so it goes before anything else is imported.
"""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - see above
    del sys.path[0]
    _root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if _root not in sys.path:  # run from a checkout, which nothing else puts on the path
        sys.path.insert(0, _root)

from harness.cli import main

if __name__ == "__main__":
    main()
