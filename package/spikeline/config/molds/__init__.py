"""Settings of MoLDS: mixtures of linear dynamical systems."""

from spikeline.config.molds.experiments import EM_METHODS, ExperimentSettings
from spikeline.config.molds.fit import (
    EMSettings,
    FitSettings,
    MomentSettings,
    PrefilterSettings,
    StartSettings,
    lags_of,
)
from spikeline.config.molds.mixtures import MIXTURE_PRESETS, MixtureSettings
from spikeline.config.molds.neural import NeuralSessionSettings, NeuralSettings, SwitchingSettings
from spikeline.config.molds.root import MoldsSettings

__all__ = [
    "EM_METHODS",
    "EMSettings",
    "ExperimentSettings",
    "FitSettings",
    "MIXTURE_PRESETS",
    "MixtureSettings",
    "MoldsSettings",
    "MomentSettings",
    "NeuralSessionSettings",
    "NeuralSettings",
    "PrefilterSettings",
    "StartSettings",
    "SwitchingSettings",
    "lags_of",
]
