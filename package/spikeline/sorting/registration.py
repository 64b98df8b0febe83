"""Make `simsort` one of SpikeInterface's sorters, whichever of the two packages is imported first.

SpikeInterface finds sorters in a dictionary of `spikeinterface.sorters` and has no entry points: a sorter of another
package has to be put there. Importing SpikeInterface takes seconds, so `spikeline.sorting` does not: it waits for
somebody else to import it.

A process that never imports `spikeline.sorting` does not know the sorter, be it one that SpikeInterface started itself:
`spikeline.sorting.recording_for_jobs` is for those.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["register_with_spikeinterface"]

_SORTERS = "spikeinterface.sorters"
_OURS = "spikeline.sorting.simsort.spikeinterface_sorter"


def register_with_spikeinterface() -> None:
    """Register `simsort` now if SpikeInterface's sorters are imported already, else as soon as they are."""
    if _SORTERS in sys.modules:
        importlib.import_module(_OURS)
    elif not any(isinstance(finder, _WaitForSorters) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WaitForSorters())


class _WaitForSorters(MetaPathFinder):
    """Finds one module where the other finders find it, and has `simsort` registered once that module has run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _SORTERS:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_register(module: ModuleType) -> None:
            run(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            # importing it registers it; half imported already, it does so at its end
            importlib.import_module(_OURS)

        spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec
