"""Where training scenes are made."""

from __future__ import annotations

import torch

from spikeline.errors import ConfigError

__all__ = ["scene_device"]


def scene_device(scenes: str, training: str) -> torch.device | None:
    """A device of torch, or None: in memory, by numpy.

    Parameters
    ----------
    scenes
        ``simsort.*.scenes.accelerator``: cpu, gpu, or auto, where the network is trained.
    training
        ``simsort.*.training.accelerator``.

    Raises
    ------
    ConfigError
        If a GPU is asked for and torch sees none.
    """
    wanted = training if scenes == "auto" else scenes
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return None
    if not torch.cuda.is_available():
        raise ConfigError(
            f"{'scenes' if scenes == 'gpu' else 'training'}.accelerator = gpu, and torch sees none",
            "a GPU that torch can use",
            "set accelerator: auto, or install the torch build for your GPU and ask the scheduler for one",
        )
    return torch.device("cuda")
