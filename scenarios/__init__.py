"""The scenarios: one file each. Adding a file here is all it takes to add one."""

from pathlib import Path

if __name__ != "eager_vs_graph.scenarios":
    # One module under two names would be two modules, with two classes of every scenario.
    raise ImportError(f"{__name__} is the folder of eager_vs_graph.scenarios; import that")

# In a checkout the package is a tree of links to the files that were there when it was made. A file
# that was added since is found in the folder itself.
__path__.append(str(Path(__file__).resolve().parent))
