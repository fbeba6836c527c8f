"""Modules that are imported when something in them is first used, and not when they are named in an import."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Takes the place of a module, and becomes a copy of it at the first use.

    Not `importlib.util.LazyLoader`, which imports the module at the next `import` of it.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "__file__":  # `inspect` asks every module for it
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        vars(self).update(vars(import_module(self.__name__)))
        return getattr(sys.modules[self.__name__], name)


def import_later(name: str) -> None:
    """Have a top-level module imported at its first use. Without effect if it is imported already or not installed."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is not None:
        sys.modules[name] = _Later(name)
        sys.modules[name].__spec__ = spec
