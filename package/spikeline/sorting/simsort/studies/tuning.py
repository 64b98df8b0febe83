"""Trained networks that learn on from a little of a recording whose spikes are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeline.artifacts import Provenance, config_hash, file_checksum, read_weights
from spikeline.config.studies import TuningSettings
from spikeline.errors import DataError
from spikeline.sorting.simsort.fit_to_file import FIT_FACTS, FitJob, deciding, fit_to_file
from spikeline.sorting.simsort.weight_files import NETWORKS

if TYPE_CHECKING:
    from spikeline.simulation.recordings.labelled_recording import LabelledRecording
    from spikeline.sorting.simsort.detection_batches import DetectionBatches
    from spikeline.sorting.simsort.identifier import Identifier
    from spikeline.sorting.simsort.identifier_training import IdentifierTraining
    from spikeline.sorting.simsort.studies.labelled import LabelledScenes
    from spikeline.training import Batches

__all__ = ["TuningJob", "labelled_detection_batches", "settle_on_few", "tune_to_files"]

_STEP_VERSION = 2
_ONE_SCENE = {"steps_per_scene": 1, "scenes_per_batch": 1}  # there is one
_OF_THE_PLAN = ("labelled_s", "start", "recordings", "repeats")  # which tunings there are; not how one is made
_ALL = 1 << 30
_FEWEST_SPIKES, _FEWEST_UNITS = 4, 2  # of a unit, and units of that many, below which there is nothing to tell apart


@dataclass(frozen=True)
class TuningJob:
    """From which networks and which recording to which files.

    Parameters
    ----------
    recording_folder
        Written by `spikeline.simulation.recordings.write_recording`.
    labelled_s
        Its first seconds, whose true spikes are used; what comes later is not looked at, not even its noise.
    start
        Network -> weights to begin with.
    outputs
        Network -> weights (``.safetensors``); the card goes beside them.
    log_csvs
        Network -> losses.
    seed
        Root seed.
    filter_hz, true_time
        As recordings are scored.
    threads
        Of torch; part of what makes the bytes the same.
    provenance
        For the manifests.
    """

    recording_folder: str | Path
    labelled_s: float
    start: Mapping[str, str | Path]
    outputs: Mapping[str, str | Path]
    log_csvs: Mapping[str, str | Path]
    seed: int
    filter_hz: tuple[float, float]
    true_time: str = "extracellular_peak"
    threads: int = 1
    provenance: Provenance | None = None


def tune_to_files(settings: TuningSettings, job: TuningJob) -> None:
    """Tune both networks and write them; a killed call goes on from its checkpoints.

    Parameters
    ----------
    settings
        How to tune.
    job
        Networks, recording, files.

    Raises
    ------
    DataError
        If the recording has more channels than the networks see at a time (`labelled.LabelledScenes`), or the stretch
        too few labelled spikes: of two units at least 4 each, and more than twice as many spikes in all as the
        embedding has dimensions.
    NumericalError
        If a loss or weight is not finite.
    """
    from spikeline.simulation.recordings.recording import read_recording
    from spikeline.sorting.simsort.evaluation.network_view import network_view
    from spikeline.sorting.simsort.evaluation.truth import true_spikes
    from spikeline.sorting.simsort.networks import load_networks
    from spikeline.sorting.simsort.studies.labelled import LabelledScenes
    from spikeline.sorting.simsort.studies.steps import gathered
    from spikeline.training.reproducible import reproducible

    made = read_recording(job.recording_folder)
    recording, sorting = _before(made, job.labelled_s)
    with gathered(job.start) as folder:
        networks = load_networks(folder, "cpu")
    with reproducible(job.threads, on_cpu=True):
        view = network_view(recording, networks)
        truth = true_spikes(recording, sorting, job.filter_hz, job.true_time)
    cards = {network: read_weights(job.start[network])[1] for network in NETWORKS}
    known = {
        "recording": Path(job.recording_folder).name,
        "labelled_s": job.labelled_s,
        "spikes": len(truth.unit_index),
    }
    dimensions = networks.identifier.linear.out_features

    def scenes(network: str) -> LabelledScenes:
        return LabelledScenes(view, truth, job.seed, stage=f"simsort-{network}-tuning")

    _check(scenes("identifier"), dimensions, known)
    for network in NETWORKS:
        _tune(network, getattr(networks, network), scenes(network), settings, job, cards[network], known)


def _before(made: LabelledRecording, stop_s: float) -> tuple[Any, Any]:
    stop = round(stop_s * made.recording.get_sampling_frequency())
    return made.recording.frame_slice(0, stop), made.sorting.frame_slice(0, stop)


def _check(scenes: LabelledScenes, dimensions: int, known: Mapping[str, Any]) -> None:
    counts = np.bincount(scenes(0).unit_index)
    enough = counts[counts >= _FEWEST_SPIKES]
    if len(enough) < _FEWEST_UNITS or enough.sum() <= 2 * dimensions:
        raise DataError(
            f"{int(enough.sum())} labelled spikes of {len(enough)} units with {_FEWEST_SPIKES} or more, in the first "
            f"{known['labelled_s']:g} s of {known['recording']}",
            f"more than {2 * dimensions} spikes of at least {_FEWEST_UNITS} such units",
            "label more (simsort_tuning.labelled_s), or tune on another recording",
        )


def _tune(
    network: str,
    module: Any,
    scenes: LabelledScenes,
    settings: TuningSettings,
    job: TuningJob,
    card: Mapping[str, Any],
    known: Mapping[str, Any],
) -> None:
    from spikeline.sorting.simsort.detector_training import DetectorTraining
    from spikeline.sorting.simsort.identification_batches import IdentificationBatches
    from spikeline.sorting.simsort.identifier_training import IdentifierTraining

    schedule = getattr(settings, network)
    source: Batches = (
        labelled_detection_batches(scenes, settings)
        if network == "detector"
        else IdentificationBatches(scenes, spikes_per_unit=settings.spikes_per_unit, **_ONE_SCENE)
    )

    def settle(training: IdentifierTraining, batches: Batches) -> None:
        every = IdentificationBatches(scenes, spikes_per_unit=_ALL, **_ONE_SCENE)
        settle_on_few(training.identifier, every.batch(schedule.steps), settings.scatter_spikes)

    start = file_checksum(job.start[network])
    how = {name: value for name, value in settings.plain().items() if name not in _OF_THE_PLAN}
    tuned_on = {**how, **known, "start_sha256": start}
    decides = {**tuned_on, network: deciding(schedule.plain())}
    fit_to_file(
        f"simsort-{network}-tuning",
        lambda: (DetectorTraining(module) if network == "detector" else IdentifierTraining(module)).train(),
        source,
        schedule,
        FitJob(
            Path(job.outputs[network]),
            job.log_csvs[network],
            config_hash({**decides, "step_version": _STEP_VERSION, "seed": job.seed, "threads": job.threads}),
            job.seed,
            threads=job.threads,
            provenance=job.provenance,
        ),
        network=network,
        weights=lambda training: getattr(training, network),
        card={**{key: value for key, value in card.items() if key not in FIT_FACTS}, "tuned_on": tuned_on},
        finish=settle if network == "identifier" else lambda training, batches: None,
    )


def labelled_detection_batches(scenes: LabelledScenes, settings: TuningSettings) -> DetectionBatches:
    """What the detector is tuned on. Every labelled spike counts: who labels a unit wants it found, however small."""
    from spikeline.sorting.simsort.detection_batches import DetectionBatches
    from spikeline.sorting.simsort.detector import GROUP

    return DetectionBatches(
        scenes,
        windows=settings.windows,
        samples=settings.window_samples,
        least_template_norms=[0.0] * GROUP,
        **_ONE_SCENE,
    )


def settle_on_few(identifier: Identifier, batch: Mapping[str, np.ndarray], imaginary_spikes: int) -> None:
    """Make the scatter within units 1 again, as far as a few spikes tell what it is.

    Their scatter matrix counts as many times as there are spikes beyond one per unit, the unit matrix (what the
    network's points scattered with before) ``imaginary_spikes`` times.

    Parameters
    ----------
    identifier
        Changed in place.
    batch
        ``snippets`` and ``unit``, see `spikeline.sorting.simsort.identification_batches`.
    imaginary_spikes
        How much the old scatter is trusted; 0: not at all.
    """
    import torch

    from spikeline.sorting.simsort.identifier_training import scatter_matrix

    with torch.no_grad():
        unit, snippets = torch.as_tensor(batch["unit"]), torch.as_tensor(batch["snippets"])
        scatter = scatter_matrix(identifier(snippets), unit)
        free = len(unit) - len(unit.unique())
        mixed = (free * scatter + imaginary_spikes * torch.eye(len(scatter))) / (free + imaginary_spikes)
        # one recording: all spikes are seen on as many channels
        identifier.settle(int(identifier.spread(snippets)[1].max()) + 1, mixed)
