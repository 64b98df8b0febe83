"""Keep SpikeInterface's compiled kernels on disk.

SpikeInterface compiles its numba kernels anew in every process, which takes 20-40 s for the sorters used here, while
sorting a minute of a tetrode takes under a second. numba can keep compiled code beside the source (or in
``NUMBA_CACHE_DIR``, or in the user's cache where the installation is read-only); its dispatchers only have to be told
so before their first call.
"""

from __future__ import annotations

import importlib
import sys

__all__ = ["keep_compiled_kernels"]

# Modules with kernels that the component sorters import only while they run.
_MODULES = (
    "spikeinterface.core.sorting_tools",
    "spikeinterface.curation.auto_merge",
    "spikeinterface.curation.curation_tools",
    "spikeinterface.postprocessing",
    "spikeinterface.sortingcomponents.clustering.isosplit_isocut",
    "spikeinterface.sortingcomponents.matching.tdc_peeler",
    "spikeinterface.sortingcomponents.peak_detection.locally_exclusive",
    "spikeinterface.sortingcomponents.peak_detection.matched_filtering",
)


def keep_compiled_kernels() -> int:
    """Turn numba's on-disk cache on for every kernel of SpikeInterface that has not been compiled yet.

    Returns
    -------
    int
        How many kernels it was turned on for.
    """
    from numba.core.dispatcher import Dispatcher

    for name in _MODULES:
        importlib.import_module(name)
    kernels = {
        id(value): value
        for name, module in list(sys.modules.items())
        if name.startswith("spikeinterface.")
        for value in list(vars(module).values())
        if isinstance(value, Dispatcher) and not value.signatures
    }
    for kernel in kernels.values():
        kernel.enable_caching()
    return len(kernels)
