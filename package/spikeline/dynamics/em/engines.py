"""Which engine computes the E-step."""

from __future__ import annotations

import ctypes
import importlib.util
from dataclasses import replace

from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.expectation import Engine
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.em.split_engine import SplitEngine
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import ConfigError

__all__ = ["make_engine"]

_DRIVERS = ("libcuda.so.1", "nvcuda.dll")


def make_engine(settings: EMSettings, trajectories: Trajectories) -> Engine:
    """An engine for these trajectories.

    Parameters
    ----------
    settings
        Its name (auto: torch if it is installed and there is a GPU, else numba), precision, and torch's way through
        time.
    trajectories
        What it will compute on. `MissingOutputsEngine` has those of which outputs are missing, whatever the settings.

    Raises
    ------
    ConfigError
        If the engine that is asked for is not installed.
    """
    whole = (trajectories.known() | ~trajectories.inside()[..., None]).all(axis=(1, 2))
    if whole.all():
        return _of_whole(settings, trajectories)
    from spikeline.dynamics.em.missing_outputs import MissingOutputsEngine

    if not whole.any():
        return MissingOutputsEngine(trajectories)
    return SplitEngine(trajectories, whole, lambda part: _of_whole(settings, part), MissingOutputsEngine)


def _of_whole(settings: EMSettings, trajectories: Trajectories) -> Engine:
    trajectories, name = replace(trajectories, observed=None), settings.engine
    if name == "auto":
        name = "torch" if _gpu_with_torch() else "numba"
    if name == "numpy":
        return NumpyEngine(trajectories)
    if name == "numba":
        from spikeline.dynamics.em.numba_engine import NumbaEngine

        return NumbaEngine(trajectories, dtype=settings.precision)
    if importlib.util.find_spec("torch") is None:
        raise ConfigError("engine: torch, and PyTorch is not installed", "auto, numba or numpy", "pip install torch")
    from spikeline.dynamics.em.torch_engine import TorchEngine

    return TorchEngine(trajectories, dtype=settings.precision, scan=settings.scan)


def _gpu_with_torch() -> bool:
    """Whether torch is installed and sees a GPU; without a driver torch, whose import takes seconds, stays out."""
    if importlib.util.find_spec("torch") is None or not any(_loads(driver) for driver in _DRIVERS):
        return False
    import torch

    return bool(torch.cuda.is_available())


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
