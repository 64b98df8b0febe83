"""Check the shapes and dtypes that the package's annotations promise, in every test, without a trace in the package.

jaxtyping's own import hook decorates every function underneath the decorators that are already there, and numba cannot
compile that. This one decorates what a module has defined once it has run, so compiled kernels are left alone, and only
what is annotated with a jaxtyping array, so nothing else is slowed down.
"""

from __future__ import annotations

import importlib.abc
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import FunctionType, ModuleType
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray, jaxtyped

__all__ = ["check_arrays_on_import"]


def _holds_array(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(_holds_array(part) for part in get_args(hint))


def _resolved(annotation: Any, namespace: dict[str, Any]) -> Any:
    try:
        return eval(annotation, namespace) if isinstance(annotation, str) else annotation
    except NameError:  # a name that is imported for type checkers only: no array of ours
        return Any


def _arrays_only(function: FunctionType) -> Any:
    """beartype on the array annotations of a function; the others are documentation here."""
    function.__annotations__ = {name: hint for name, hint in function.__annotations__.items() if _holds_array(hint)}
    return beartype(function)


def _checked(function: FunctionType, namespace: dict[str, Any]) -> FunctionType:
    if any(_holds_array(_resolved(annotation, namespace)) for annotation in function.__annotations__.values()):
        return jaxtyped(function, typechecker=_arrays_only)
    return function


def _check_class(cls: type, namespace: dict[str, Any]) -> None:
    """Methods, properties, and of a dataclass the ``__init__`` that was generated from its fields."""
    for name, member in list(vars(cls).items()):
        if isinstance(member, FunctionType):
            setattr(cls, name, _checked(member, namespace))
        elif isinstance(member, property) and isinstance(member.fget, FunctionType):
            setattr(cls, name, property(_checked(member.fget, namespace), member.fset, member.fdel, member.__doc__))


def _check_module(module: ModuleType) -> None:
    for name, member in list(vars(module).items()):
        if getattr(member, "__module__", None) != module.__name__:
            continue
        if isinstance(member, FunctionType):
            setattr(module, name, _checked(member, vars(module)))
        elif isinstance(member, type):
            _check_class(member, vars(module))


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _check_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not any(fullname == package or fullname.startswith(f"{package}.") for package in self._packages):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def check_arrays_on_import(*packages: str) -> None:
    """Check the array annotations of these packages, which must not have been imported yet, from now on.

    Raises
    ------
    RuntimeError
        If one of them has been imported already, in part or whole.
    """
    early = sorted(name for name in sys.modules for package in packages if f"{name}.".startswith(f"{package}."))
    if early:
        raise RuntimeError(f"imported before their arrays could be checked: {', '.join(early)}")
    sys.meta_path.insert(0, _Finder(packages))
