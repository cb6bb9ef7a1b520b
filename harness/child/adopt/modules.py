"""The user's own modules, executed afresh for each program.

A module's globals are state: variables, counters, tables, open files. So each program has modules
of its own (``Modules``), made by executing the user's files again: theirs, not those of installed
packages, whose modules are the same for all.

``sys.modules`` holds the modules of the program that was made last. A function of another program
that imports something while it runs still finds its own: the modules that are executed here have an
``__import__`` of their own.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import sysconfig
import time
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

ADOPTED: set[str] = set()
"""Top-level packages that hold what the user pointed at, wherever they are installed."""
_LIBRARIES = frozenset(
    {"eager_vs_graph", "tensorflow", "keras", "tf_keras", "numpy", "scipy", "pandas", "absl"}
)
"""Nobody's own project, even where they are installed from a checkout."""
_STANDARD = tuple(Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib"))
_PACKAGES = frozenset({"site-packages", "dist-packages"})


def is_users(name: str, module: Any) -> bool:
    """Whether a module is of the user's project: neither installed nor Python's nor ours.

    A package that the user pointed at is theirs although it is installed.
    """
    if not isinstance(module, types.ModuleType) or module.__name__ != name:
        return False
    top = name.partition(".")[0]
    if top in _LIBRARIES or name == "__main__":
        return False
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and (top in ADOPTED or not is_installed(file))


def is_installed(file: str) -> bool:
    """Whether a file belongs to an installed package or to Python."""
    path = Path(file)
    return not _PACKAGES.isdisjoint(path.parts) or any(map(path.is_relative_to, _STANDARD))


def is_libraries(module: str | None) -> bool:
    """Whether what a module defines can only refer to what it was given."""
    if module is None or module == "__main__" or module.startswith("eager_vs_graph.child.adopt"):
        return False
    return module in sys.modules and not is_users(module, sys.modules[module])


class Modules:
    """The user's modules as one program has them.

    Attributes:
        clock: what executing them took, and importing installed packages.
    """

    __slots__ = ("_builtins", "_held", "clock")

    def __init__(self) -> None:
        self.clock = Clock()
        self._held: dict[str, types.ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    @contextmanager
    def executing(self) -> Iterator[None]:
        """Within, these modules are what an import finds; what is missing is executed for them."""
        _switch_to(self)
        finder = _Finder(self._builtins, self.clock)
        sys.meta_path.insert(0, finder)
        try:
            with self.clock.counting("made"):
                yield
        finally:
            sys.meta_path.remove(finder)
            _managed.update(finder.users)

    def _import(
        self,
        name: str,
        namespace: Any = None,
        local: Any = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        """``__import__`` of these modules."""
        if _current[0] is self and name in sys.modules and not level:
            return builtins.__import__(name, namespace, local, fromlist, level)
        before = _current[0]
        with contextlib.ExitStack() as stack:
            if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
                stack.enter_context(self.executing())
            elif before is not self:
                _switch_to(self)
            if before is not self:
                stack.callback(_switch_to, before)
            return builtins.__import__(name, namespace, local, fromlist, level)


_managed: set[str] = set()
"""Names of the modules that were executed here."""
_current: list[Modules] = []


def _switch_to(modules: Modules) -> None:
    """Put the modules of a program into ``sys.modules``, in the place of those that are there."""
    current = _current[0]
    if current is modules:
        return
    current._held = {
        name: module for name, module in sys.modules.copy().items() if _is_managed(name, module)
    }
    for name in current._held:
        del sys.modules[name]
    sys.modules.update(modules._held)
    _current[0] = modules


def forget() -> None:
    """Let go of the modules of the program that was made last: none is in ``sys.modules``."""
    _switch_to(Modules())


def _is_managed(name: str, module: Any) -> bool:
    known = name in _managed or name.partition(".")[0] in ADOPTED
    if not known or not isinstance(module, types.ModuleType):
        return False
    file = getattr(module, "__file__", None)
    if file is None:  # a namespace package, which holds the modules in it
        return all(not is_installed(place) for place in getattr(module, "__path__", ()))
    return file.endswith(".py") and is_users(name, module) and not is_installed(file)


class Clock:
    """Seconds by what they were spent on; what is within is not counted without.

    Attributes:
        wall_s: ``modules``, executing the user's; ``packages``, importing installed ones;
            ``made``, what is done with them.
        cpu_s: the same, of the process's CPU time: a busy machine makes all wall time long.
    """

    def __init__(self) -> None:
        self.wall_s = {"modules": 0.0, "packages": 0.0, "made": 0.0}
        self.cpu_s = dict(self.wall_s)
        self._on: list[str] = []
        self._since = 0.0, 0.0

    @contextmanager
    def counting(self, what: str) -> Iterator[None]:
        """Count the seconds within for this."""
        self._charge()
        self._on.append(what)
        try:
            yield
        finally:
            self._charge()
            self._on.pop()

    def _charge(self) -> None:
        now = time.perf_counter(), time.process_time()
        if self._on:
            self.wall_s[self._on[-1]] += now[0] - self._since[0]
            self.cpu_s[self._on[-1]] += now[1] - self._since[1]
        self._since = now


class _Finder:
    """Finds modules as Python does; gives the user's their own builtins, and times all."""

    def __init__(self, names: dict[str, Any], clock: Clock) -> None:
        self.users: set[str] = set()
        self.clock = clock
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """What the other finders find, with a loader that tells this one."""
        for finder in sys.meta_path:
            if isinstance(finder, _Finder) or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                break
        else:
            return None
        if spec.loader is None:  # a namespace package
            places = spec.submodule_search_locations or ()
            if not any(map(is_installed, places)):
                self.users.add(name)
        elif hasattr(spec.loader, "exec_module") and spec.has_location:
            spec.loader = _Loader(spec.loader, self, name, spec.origin or "")  # type: ignore[assignment]
        return spec

    def of_users(self, module: types.ModuleType) -> None:
        """Prepare a module of the user's."""
        self.users.add(module.__name__)
        vars(module)["__builtins__"] = self._names


class _Loader:
    """Stands before a module's loader until the module is executed."""

    def __init__(self, loader: Any, finder: _Finder, name: str, origin: str) -> None:
        self._loader, self._finder = loader, finder
        library = name.partition(".")[0] in _LIBRARIES
        self._users = origin.endswith(".py") and not library and not is_installed(origin)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        """As the loader does."""
        spec.loader = self._loader
        try:
            return self._loader.create_module(spec)
        finally:
            spec.loader = self  # type: ignore[assignment]

    def exec_module(self, module: types.ModuleType) -> None:
        """Execute the module, with its own loader in its place again."""
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        if self._users:
            self._finder.of_users(module)
        with self._finder.clock.counting("modules" if self._users else "packages"):
            self._loader.exec_module(module)


_current.append(Modules())
