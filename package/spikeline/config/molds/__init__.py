"""Settings of MoLDS: mixtures of linear dynamical systems."""

from spikeline.config.molds.fit import EMSettings, FitSettings, MomentSettings, PrefilterSettings, StartSettings

__all__ = ["EMSettings", "FitSettings", "MomentSettings", "PrefilterSettings", "StartSettings"]
