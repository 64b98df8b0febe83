"""Sortings for other programs: Phy's folder and an NWB file, both written by the libraries of the field."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikeline.artifacts import atomic_file, atomic_folder
from spikeline.errors import ConfigError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["EXPORTS", "analyse", "check_export", "export_nwb", "export_phy"]

EXPORTS = {"phy": "phy", "nwb": "sorting.nwb"}
"""Format -> name of what is written."""

# The band in which spikes are looked at in Phy: the usual one; the upper end is lowered for slow recordings.
_BAND_HZ = (300.0, 6000.0)
_HIGHEST_OF_NYQUIST = 0.9
# Principal components per channel in Phy's feature view; SpikeInterface's export takes as many.
_COMPONENTS = 5
# With more channels than this, waveforms are kept around each unit's best one only.
_MOST_DENSE_CHANNELS = 32
# NWB demands a time at which the session began; where nobody has said it, this one stands for it.
_UNKNOWN_START = datetime(1970, 1, 1, tzinfo=UTC)


def check_export(name: str) -> None:
    """Refuse, before hours of sorting, a format that cannot be written here.

    Raises
    ------
    ConfigError
        If the format is unknown or its package is not installed.
    """
    if name not in EXPORTS:
        raise ConfigError(f"there is no export {name!r}", "one of " + ", ".join(EXPORTS), "choose one of them")
    if name == "nwb" and importlib.util.find_spec("neuroconv") is None:
        raise ConfigError(
            "neuroconv is not installed", "neuroconv, which writes NWB files", "pip install 'spikeline[export]'"
        )


def analyse(recording: si.BaseRecording, sorting: si.BaseSorting, *, threads: int = 1) -> si.SortingAnalyzer:
    """Waveforms, templates and quality metrics of a sorting, in memory, from the band-passed recording.

    The units get the property ``main_channel_id``: the channel on which they are largest.

    Parameters
    ----------
    recording
        With a probe.
    sorting
        With at least one unit.
    threads
        Worker threads.
    """
    from spikeinterface.core import create_sorting_analyzer

    with _quiet():
        recording = _around_zero(recording)
        analyzer = create_sorting_analyzer(
            sorting,
            recording,
            sparse=recording.get_num_channels() > _MOST_DENSE_CHANNELS,
            return_in_uV=recording.has_scaleable_traces(),
            seed=0,
            job_kwargs=_jobs(threads),
        )
        analyzer.compute(
            ["random_spikes", "waveforms", "templates", "noise_levels", "spike_amplitudes"],
            extension_params={"random_spikes": {"seed": 0}, "noise_levels": {"random_slices_kwargs": {"seed": 0}}},
            **_jobs(threads),
        )
        analyzer.compute("quality_metrics", metric_names=["num_spikes", "firing_rate", "snr", "isi_violation"])
    return analyzer


def _around_zero(recording: si.BaseRecording) -> si.BaseRecording:
    """The recording band-passed, as signed numbers of as many bits.

    Unsigned samples have an offset, half their range or any other, and the filter takes it away whatever it is. They
    are filtered even if they have been before: else the offset would be in every waveform.
    """
    from spikeinterface.preprocessing import bandpass_filter

    given = np.dtype(recording.get_dtype())
    if recording.is_filtered() and given.kind != "u":
        return recording
    highest = _HIGHEST_OF_NYQUIST * recording.get_sampling_frequency() / 2
    signed = given.name.removeprefix("u")
    return bandpass_filter(recording, freq_min=_BAND_HZ[0], freq_max=min(_BAND_HZ[1], highest), dtype=signed)


def export_phy(folder: str | Path, analyzer: si.SortingAnalyzer, *, threads: int = 1) -> None:
    """Write what ``phy template-gui FOLDER/params.py`` opens; the band-passed recording is copied there.

    Parameters
    ----------
    folder
        Replaced if it is there.
    analyzer
        From `analyse`.
    threads
        Worker threads.
    """
    from spikeinterface.exporters import export_to_phy

    enough = analyzer.get_extension("random_spikes").get_data().size > _COMPONENTS
    with atomic_folder(folder) as temporary, _quiet():
        export_to_phy(
            analyzer, temporary, compute_pc_features=enough, additional_properties=["main_channel_id"],
            use_relative_path=True, remove_if_exists=True, verbose=False, **_jobs(threads),
        )  # fmt: skip


def export_nwb(path: str | Path, analyzer: si.SortingAnalyzer, *, session_start: datetime | None = None) -> None:
    """Write an NWB file with the electrodes and the units: spike times, mean waveforms, metrics; no traces.

    Parameters
    ----------
    path
        Replaced if it is there.
    analyzer
        From `analyse`.
    session_start
        When the recording began; without a time zone, in that of this machine. 1970-01-01 stands for an unknown one.

    Raises
    ------
    ConfigError
        If neuroconv is not installed.
    """
    check_export("nwb")
    from neuroconv.tools.spikeinterface import write_sorting_analyzer_to_nwbfile

    known = session_start is not None
    facts = {
        "session_description": "Units sorted by spikeline" + ("" if known else "; the start of the session is unknown"),
        "identifier": str(uuid.uuid4()),
        "session_start_time": session_start.astimezone() if known else _UNKNOWN_START,
    }
    with atomic_file(path) as temporary, _quiet():
        # so far it has a temporary name
        warnings.filterwarnings("ignore", message="The file path provided: .* does not end in")
        write_sorting_analyzer_to_nwbfile(
            analyzer, temporary, metadata={"NWBFile": facts}, overwrite=True, backend="hdf5"
        )


def _jobs(threads: int) -> dict[str, object]:
    return {"n_jobs": threads, "pool_engine": "thread", "chunk_duration": "1s", "progress_bar": False}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Prints go to stderr; warnings, which the libraries give for what they find out on the way, are shown only."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.simplefilter("ignore", ResourceWarning)
        yield
