"""All of MoLDS in one block of a run's configuration."""

from __future__ import annotations

import re

from pydantic import model_validator

from spikeline.config.base import Settings, setting
from spikeline.config.molds.experiments import ExperimentSettings
from spikeline.config.molds.neural import NeuralSettings

__all__ = ["MoldsSettings"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class MoldsSettings(Settings):
    """Mixtures of linear dynamical systems."""

    experiments: dict[str, ExperimentSettings] = setting(
        {}, description="Experiments on simulated trajectories by name; several may share a figure."
    )
    neural: NeuralSettings = setting(NeuralSettings(), description="Fits to neural recordings.")

    @model_validator(mode="after")
    def _names_are_parts_of_paths(self) -> MoldsSettings:
        for name in self.experiments:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} becomes part of a path: use letters, digits, '_' and '-'")
        return self
