"""SimSort as SpikeInterface runs it: ``run_sorter("simsort", recording, folder=...)``.

Importing this module registers the sorter; `spikeline.sorting` has it imported when SpikeInterface's sorters are.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any, ClassVar

from spikeinterface.core import BaseRecording, BaseSorting, load
from spikeinterface.core.core_tools import check_json
from spikeinterface.core.job_tools import fix_job_kwargs
from spikeinterface.sorters import BaseSorter, sorter_dict, sorter_full_list
from spikeinterface.sorters.utils import SpikeSortingError

from spikeline import __version__, errors
from spikeline.errors import ConfigError, DataError
from spikeline.sorting.simsort.presets import sort_with_preset
from spikeline.sorting.simsort.recording_checks import check_sortable, with_contacts
from spikeline.sorting.simsort.sorter_parameters import (
    PAPER_PRESET,
    SORTER_NAME,
    default_parameters,
    paper_settings_of,
    parameter_descriptions,
    preset_of,
    settings_of,
)
from spikeline.sorting.simsort.weight_files import WEIGHT_FILES, check_preset
from spikeline.sorting.sorting_file import make_sorting

__all__ = ["SimSortSorter", "register"]

_SORTING, _ERROR = "sorting", "error.json"
_DEVICES = ("auto", "cpu", "cuda")


class SimSortSorter(BaseSorter):
    """Detects and tells apart spikes with two networks trained on simulated recordings.

    Everything is in the folder, nothing in instances; no pickle is written.

    Notes
    -----
    A recording that cannot be sorted and parameters that cannot be used are refused before the sorting starts. These
    errors, and those of the sorting itself, come as they are, `DataError`, `ConfigError` or `FormatError`, and not as
    the text of SpikeInterface's own.
    """

    sorter_name = SORTER_NAME
    requires_locations = False
    gpu_capability = "nvidia-optional"
    requires_binary_data = False
    handle_multi_segment = False
    # loky's processes import SpikeInterface alone and know no such sorter
    compatible_with_parallel: ClassVar = {"loky": False, "multiprocessing": True, "threading": True}

    _default_params = default_parameters()
    _params_description = parameter_descriptions()
    sorter_description = (
        "SimSort detects spikes with a convolutional network, tells them apart by embeddings of their waveforms that "
        "it clusters, finds the number of units itself, and takes overlapping spikes apart by matched filters. Both "
        "networks have been trained on simulated recordings of biophysical neurons."
    )
    installation_mesg = "\tpip install 'spikeline[sorting]'"

    @classmethod
    def is_installed(cls) -> bool:
        return importlib.util.find_spec("torch") is not None

    @classmethod
    def get_sorter_version(cls) -> str:
        return __version__

    @classmethod
    def initialize_folder(
        cls, recording: BaseRecording, output_folder: str | Path | None, verbose: bool, remove_existing_folder: bool
    ) -> Path:
        """As `BaseSorter` does, after a look at the recording: a refused one leaves no folder behind."""
        if cls.is_installed() and isinstance(recording, BaseRecording):
            if not recording.check_serializability("json"):
                raise DataError(
                    "the recording cannot be described by JSON: samples in memory, or a step with Python objects",
                    "a recording that lies in files, so that the sorting can refer to it",
                    "save it first: recording = recording.save(folder=..., format='binary')",
                )
            check_sortable(recording)
        return super().initialize_folder(recording, output_folder, verbose, remove_existing_folder)

    @classmethod
    def _check_params(cls, recording: BaseRecording, output_folder: Path, params: dict[str, Any]) -> dict[str, Any]:
        given = check_json(params)
        checked = {**given, **settings_of(given).plain()}
        checked["seed"] = 0 if given["seed"] is None else given["seed"]
        checked["weights"] = _checked_weights(given["weights"])
        if preset_of(given) == PAPER_PRESET:
            checked["paper"] = paper_settings_of(given).plain()
            check_preset(checked["weights"], PAPER_PRESET)
        _check_device(given["device"])
        return checked

    @classmethod
    def _setup_recording(
        cls, recording: BaseRecording, sorter_output_folder: Path, params: dict[str, Any], verbose: bool
    ) -> None:
        """Nothing: the sorting reads the recording where it lies."""

    @classmethod
    def run_from_folder(cls, output_folder: str | Path, raise_error: bool, verbose: bool) -> float | None:
        """As `BaseSorter` does, which tells an error's traceback as text; one of ours is raised again as itself."""
        try:
            return super().run_from_folder(output_folder, raise_error, verbose)
        except SpikeSortingError as error:
            told = Path(output_folder) / "sorter_output" / _ERROR
            if not told.is_file():
                raise
            kind, *parts = json.loads(told.read_text(encoding="utf-8"))
            raise getattr(errors, kind)(*parts) from error

    @classmethod
    def _run_from_folder(cls, sorter_output_folder: Path, params: dict[str, Any], verbose: bool) -> None:
        folder = Path(sorter_output_folder)
        recording = cls.load_recording_from_folder(folder.parent, with_warnings=False)
        try:
            sorting = _sorted(recording, params, folder, bool(verbose or params["progress_bar"]))
        except errors.SpikelineError as error:
            told = [type(error).__name__, error.seen, error.expected, error.remedy]
            (folder / _ERROR).write_text(json.dumps(told), encoding="utf-8")
            raise
        with warnings.catch_warnings():
            # SpikeInterface notes that the copy does not remember the arrays it was made from.
            warnings.filterwarnings("ignore", message="The extractor is not serializable to file")
            sorting.save(folder=folder / _SORTING)

    @classmethod
    def _get_result_from_folder(cls, sorter_output_folder: Path) -> BaseSorting:
        return load(Path(sorter_output_folder) / _SORTING)


def register() -> None:
    """Put the sorter where SpikeInterface looks for sorters; again changes nothing."""
    if SORTER_NAME not in sorter_dict:
        sorter_dict[SORTER_NAME] = SimSortSorter
        sorter_full_list.append(SimSortSorter)


def _sorted(recording: BaseRecording, params: dict[str, Any], folder: Path, progress: bool) -> BaseSorting:
    """Units in the order they were found in, named by their number, with their best channel and properties."""
    threads = fix_job_kwargs(params["job_kwargs"])["n_jobs"]
    found = sort_with_preset(with_contacts(recording), params, threads=threads, progress=progress, folder=folder)
    n_units = len(found.unit_channels)
    note = "" if n_units else "no unit with enough spikes was found"
    if note:
        warnings.warn(f"simsort: {note}; the sorting has none", stacklevel=2)
    sorting = make_sorting(
        found.spike_samples, found.unit_index, list(map(str, range(n_units))), recording.get_sampling_frequency(), note
    )
    sorting.set_property("channel", recording.channel_ids[found.unit_channels])
    for name, values in found.properties.items():
        sorting.set_property(name, values)
    return sorting


def _checked_weights(folder: str | None) -> str | None:
    """The folder's absolute path: parameters are read again, maybe elsewhere."""
    if folder is None:
        return None
    missing = [name for name in WEIGHT_FILES if not (Path(folder) / name).is_file()]
    if missing:
        raise ConfigError(
            f"weights = {folder} lacks {', '.join(missing)}",
            "a folder with " + ", ".join(WEIGHT_FILES),
            "correct the path, or leave weights out to have those that come along",
        )
    return str(Path(folder).absolute())


def _check_device(device: str) -> None:
    if device not in _DEVICES:
        raise ConfigError(f"device = {device!r}", "one of " + ", ".join(_DEVICES), "choose one of them")
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise ConfigError(
                f"device = {device!r}, but PyTorch {torch.__version__} sees no GPU",
                "a device that is there",
                "choose auto or cpu, or install PyTorch for CUDA",
            )


register()
