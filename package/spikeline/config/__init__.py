"""The only definition of every setting: pydantic models, one file per stage."""

from spikeline.config.load import load_run, parse_run
from spikeline.config.recordings import RecordingSettings
from spikeline.config.run import RunSettings
from spikeline.config.simulation import SimulationSettings
from spikeline.config.sorting import SortingSettings

__all__ = ["RecordingSettings", "RunSettings", "SimulationSettings", "SortingSettings", "load_run", "parse_run"]
