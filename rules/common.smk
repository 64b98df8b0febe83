# Shared by all stages: the validated settings, the paths, the resources.
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from spikeline.artifacts import config_hash, file_checksum
from spikeline.config.load import load_run
from spikeline.config.simsort import settings_of_job
from spikeline.config.sorting import SorterSettings
from spikeline.data.dataset_table import read_dataset_table
from spikeline.data.datasets import datasets_at_hand, has_ground_truth
from spikeline.data.layouts import SNIPPET_READERS
from spikeline.dynamics.experiments.plan import experiment_batches
from spikeline.errors import SpikelineError
from spikeline.simulation.cells.cell_sources import find_cell_models
from spikeline.simulation.cells.channels import channels_of, checksums_of
from spikeline.simulation.shards import bank_shards, cast_of_recording, variant_names
from spikeline.sorting.catalogue import check_sorters
from spikeline.sorting.simsort.studies.plan import (
    seed_of_repeat,
    study_parts,
    tetrodes,
    tuned_recordings,
)
from spikeline.sorting.simsort.sorter_parameters import (
    DEFAULT_PRESET,
    PAPER_PRESET,
    preset_of,
)
from spikeline.sorting.simsort.training_shards import training_shards, validation_cells
from spikeline.sorting.simsort.weight_files import (
    needs_trained_weights,
    weights_checksums,
)

CHECKOUT = Path(workflow.basedir)  # a run may lie in another folder (--directory)
DATASETS = str(CHECKOUT / "config" / "datasets.yaml")
try:
    # From the files themselves, not from Snakemake's reading of them: errors then name the line.
    SETTINGS = load_run(workflow.configfiles, workflow.config_settings.config)
    MODELS = find_cell_models(SETTINGS.simulation.cells)
    CHANNELS = checksums_of(channels_of(MODELS.values()))
    check_sorters(SETTINGS.sorting.sorters)
    CASTS = {name: cast_of_recording(SETTINGS, name) for name in SETTINGS.recordings}
    REAL_RECORDINGS = (
        datasets_at_hand(
            SETTINGS.sorting.real_recordings,
            SETTINGS.data_root,
            read_dataset_table(DATASETS),
        )
        if SETTINGS.data_root
        else {}
    )
except SpikelineError as error:
    raise WorkflowError(str(error)) from None

SHARDS = bank_shards(SETTINGS.simulation)
FIRST_SHARDS = list({shard.cell: shard for shard in reversed(SHARDS)}.values())[::-1]

# The sorter whose networks SimSort's figures look at: the first of that kind, of the default preset.
SIMSORT = next(
    (
        name
        for name, sorter in SETTINGS.sorting.sorters.items()
        if sorter.sorter == "simsort" and preset_of(sorter.parameters) == DEFAULT_PRESET
    ),
    None,
)


pathvars:
    results=f"results/{SETTINGS.run}",
    logs=f"results/{SETTINGS.run}/logs",
    benchmarks=f"results/{SETTINGS.run}/benchmarks",


wildcard_constraints:
    cell=r"[A-Za-z0-9_.-]+",
    variant=r"v\d{3}",
    seed=r"\d+",
    recording=r"[A-Za-z0-9_-]+",
    sorter=r"[A-Za-z0-9_-]+",
    dataset=r"[A-Za-z0-9_-]+",
    data=r"((real|snippets)/)?[A-Za-z0-9_-]+",
    study=r"[A-Za-z0-9_-]+",
    repeat=r"\d+",
    labelled=r"[0-9.]+",
    session=r"[A-Za-z0-9_-]+",
    fits=r"\d+",
    network=r"detector|identifier",


# An output of every run, whatever its target: what the run depends on.
RESOLVED_CONFIG = "<results>/config.json"


def without(settings, *keys):
    """A settings block as plain values, less the keys a job does not read: editing those reruns nothing."""
    return {key: value for key, value in settings.plain().items() if key not in keys}


def cell_of(wildcards):
    """The cell settings one job reads: its own cell alone, so that moving another across the split reruns nothing."""
    cells = without(SETTINGS.simulation.cells, "train", "test", "expected_count")
    cells["variants"] = without(SETTINGS.simulation.cells.variants, "count")
    return cells | {"train": [wildcards.cell], "test": []}


@cache
def _checksum_of_model(cell):
    return config_hash({file.name: file_checksum(file) for file in MODELS[cell].files})


def model_checksum(wildcards):
    """Checksum of a cell model's files: jobs depend on their own model, not on the library all models share."""
    return _checksum_of_model(wildcards.cell)


def real_recording_figures(wildcards):
    """Pictures of the real recordings; asked for by name without data_root, an error says what is missing."""
    if not REAL_RECORDINGS:
        raise WorkflowError(
            "no real recording to draw: it needs data_root and sorting.real_recordings\n"
            "  expected: --config data_root=/folder/of/data/sets, with the files at their paths in config/datasets.yaml\n"
            "  what to do: give data_root, or ask for another target"
        )
    return expand(
        "<results>/figures/real_recording/{dataset}.png", dataset=REAL_RECORDINGS
    )


def real_recording_scores(wildcards):
    """Scores of the real recordings whose spikes are known; asked for by name without any, an error says what is missing."""
    known = [
        name
        for name in REAL_RECORDINGS
        if has_ground_truth(name, SETTINGS.data_root, REAL_RECORDINGS)
    ]
    if not known:
        raise WorkflowError(
            "no real recording to score: it needs data_root, and one under sorting.real_recordings whose spikes are known\n"
            "  expected: a reader with ground truth; docs/datasets.md says which have it\n"
            "  what to do: name such a data set, or ask for another target"
        )
    return expand("<results>/sorting/real/{dataset}/scores.csv", dataset=known)


def memory_mb(base):
    """Memory that grows with each attempt; a submitted job carries two Snakemake processes, hence the floor."""
    return lambda wildcards, attempt: max(500, base) * attempt


def memory_of_slice():
    """Room for three times the currents of a slice: 280 segments (the largest cell), more where it is cut finer; MB."""
    simulation = SETTINGS.simulation
    segments = 280 * max(1.0, simulation.integration.segment_frequency_hz**0.5 / 2)
    samples = simulation.bank.slice_s * 1e3 / simulation.integration.dt_ms
    return max(2000, int(1200 + 3 * 4e-6 * segments * samples))


def memory_of_recording(wildcards, attempt):
    """Room for its bank entries at 1.4 MB per second (the largest rank seen, and more), and for the traces that are being made."""
    recording, cast = (
        SETTINGS.recordings[wildcards.recording],
        CASTS[wildcards.recording],
    )
    bank_s = SETTINGS.simulation.bank.duration_s
    units_s = (
        bank_s if recording.drive == "continuous" else min(bank_s, recording.bank_s)
    )
    seconds = len(cast.units) * units_s + len(cast.background) * min(
        bank_s, recording.bank_s
    )
    return int(2000 + 1.4 * seconds) * attempt


def minutes(base):
    """Run time that grows with each attempt."""
    return lambda wildcards, attempt: max(5, base) * attempt


def currents_of(shards):
    """Paths of bank entries."""
    return [f"<results>/simulation/currents/{shard.name}.h5" for shard in shards]


def training_entries(wildcards):
    """Bank entries of the training side; asked for without any, an error says what is missing."""
    try:
        return currents_of(training_shards(SETTINGS))
    except SpikelineError as error:
        raise WorkflowError(str(error)) from None


def memory_of_training(wildcards, input, attempt):
    """Room for the bank entries at 1.4 MB per second (the largest rank seen, and more), and for torch."""
    held_s = min(SETTINGS.simsort.bank_s, SETTINGS.simulation.bank.duration_s)
    return int(3000 + 1.4 * held_s * len(input)) * attempt


def memory_of_paper_detector(wildcards, input, attempt):
    """As any training, and without a GPU room for attention between all samples of a window, which dropout needs whole."""
    detector = SETTINGS.simsort.paper.detector
    network, batches = detector.network, detector.batches
    attention_mb = 0
    if network.dropout > 0 and not gpus_of_training(detector):
        pairs = batches.windows * network.n_heads * batches.samples**2
        # weights, weights after dropout and what was dropped, kept for the way back
        attention_mb = int(3.5 * 4 * pairs * network.n_layers / 1e6)
    return memory_of_training(wildcards, input, attempt) + attention_mb


def minutes_of_training(training, step_s=0.13):
    """Three times what its steps take, by default on one core (0.13 s, measured), more on a later attempt."""
    return minutes(int(10 + 3 * step_s * training.steps / 60))


def settings_of_training(network):
    """What a network is trained by. training.tensorboard is there only if on: without it a job is what it was before that key."""
    plain = settings_of_job(network)
    if not plain["training"]["tensorboard"]:
        del plain["training"]["tensorboard"]
    return plain


def gpus_of_training(network):
    """One if the settings insist; with accelerator auto a GPU is used where there is one, and none is asked for."""
    scenes_on = getattr(network.scenes, "accelerator", "auto")
    return int("gpu" in (network.training.accelerator, scenes_on))


def trained_weights(wildcards):
    """The run's own weights, for a sorter that asks for them."""
    sorter = SETTINGS.sorting.sorters[wildcards.sorter]
    if not needs_trained_weights(sorter):
        return []
    trained = (
        (rules.simsort_paper_detector.output, rules.simsort_paper_identifier.output)
        if preset_of(sorter.parameters) == PAPER_PRESET
        else (rules.simsort_detector.output, rules.simsort_identifier.output)
    )
    return [file for output in trained for file in (output.weights, output.card)]


# Counts up when a sorter of our own sorts differently, so that its sortings, and no others, are made again.
SORTER_VERSIONS = {"simsort": 7}


def version_of_sorter(wildcards):
    """What the sortings of one sorter depend on besides their settings."""
    return SORTER_VERSIONS.get(SETTINGS.sorting.sorters[wildcards.sorter].sorter, 1)


def weights_of_sorter(wildcards):
    """Checksums of weights that come along, or lie in a folder of the user's: other ones sort again."""
    return weights_checksums(SETTINGS.sorting.sorters[wildcards.sorter])


def benchmarks_made():
    """Path and checksum of this run's measured speeds, or nothing if they have not been measured.

    For a rule's params, not its input: as an input they would be measured again whenever anything upstream of them changed,
    in runs that asked for results only. Their bytes differ from run to run, and so does what holds them; a run that never
    measured speed stays reproducible byte for byte.
    """
    path = Path("results", SETTINGS.run, "performance/benchmarks.json")
    return {str(path): file_checksum(path)} if path.exists() else {}


def trained_networks(wildcards):
    """Files of the networks that SimSort's figures show, where this run trains them; without the sorter an error says so."""
    if not SIMSORT:
        raise WorkflowError(
            "no SimSort to evaluate: none of sorting.sorters is simsort\n"
            "  expected: a sorter whose networks are looked at, e.g. sorting.sorters.simsort: {sorter: simsort}\n"
            "  what to do: add it, or ask for another target"
        )
    return [
        file
        for output in (rules.simsort_detector.output, rules.simsort_identifier.output)
        for file in (output.weights, output.card)
        if needs_trained_weights(SETTINGS.sorting.sorters[SIMSORT])
    ]


def snippets_at_hand():
    """Snippets of the data-set table that lie below data_root."""
    if not SETTINGS.data_root:
        return {}
    table = read_dataset_table(DATASETS)
    return {
        name: entry
        for name, entry in table.items()
        if entry.reader in SNIPPET_READERS
        and Path(SETTINGS.data_root, entry.path).is_file()
    }
