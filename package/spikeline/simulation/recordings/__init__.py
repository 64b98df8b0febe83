"""Bank -> recordings with known spikes: probe, placement, drift, drive, noise, synthesis."""

from spikeline.simulation.recordings.entries import read_entries
from spikeline.simulation.recordings.labelled_recording import LabelledRecording
from spikeline.simulation.recordings.recording import make_recording
from spikeline.simulation.recordings.recording_folder import read_recording, write_recording

__all__ = ["LabelledRecording", "make_recording", "read_entries", "read_recording", "write_recording"]
