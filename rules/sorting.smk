# Recordings -> sortings -> scores.
SORTED_RECORDINGS = SETTINGS.sorting.recordings or [
    name for name, recording in SETTINGS.recordings.items() if recording.split == "test"
]


def channel_seconds_of(wildcards):
    """How much there is to sort; a probe of a file is taken for a long one."""
    recording = SETTINGS.recordings[wildcards.recording]
    return (recording.probe.n_channels() or 384) * recording.duration_s


def memory_of_sorting(wildcards, attempt):
    """Room for networks and compiled kernels, and for the traces in single precision; MB."""
    rate = SETTINGS.recordings[wildcards.recording].sampling_rate_hz
    return int(4000 + 4e-6 * rate * channel_seconds_of(wildcards)) * attempt


def minutes_of_sorting(wildcards, attempt):
    """Half an hour more for each ten minutes of 20 channels: the slowest sorter takes a minute for ten of a tetrode (measured)."""
    return int(30 + channel_seconds_of(wildcards) / 400) * attempt


rule sortings:
    """Every sorting of every recording that is scored."""
    input:
        RESOLVED_CONFIG,
        expand(
            "<results>/sorting/{recording}/{sorter}.h5",
            recording=SORTED_RECORDINGS,
            sorter=SETTINGS.sorting.sorters,
        ),


rule sort:
    """Sort one recording with one sorter."""
    input:
        recording=rules.recording.output.manifest,
        weights=trained_weights,
        peers=peers_of_sorter,
    output:
        "<results>/sorting/{recording}/{sorter}.h5",
    log:
        "<logs>/sorting/{recording}/{sorter}.log",
    benchmark:
        "<benchmarks>/sorting/{recording}/{sorter}.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_sorting,
        runtime=minutes_of_sorting,
    params:
        version=version_of_sorter,
        seed=SETTINGS.seed,
        sorter=lambda wildcards: SETTINGS.sorting.sorters[wildcards.sorter].plain(),
        weights=weights_of_sorter,
    script:
        "../scripts/sorting/sort.py"


rule score:
    """Compare every sorting of one recording with the truth, by both rules."""
    input:
        recording=rules.recording.output.manifest,
        sortings=expand(
            "<results>/sorting/{{recording}}/{sorter}.h5",
            sorter=SETTINGS.sorting.sorters,
        ),
    output:
        scores="<results>/sorting/{recording}/scores.csv",
        counts="<results>/sorting/{recording}/counts.csv",
    log:
        "<logs>/sorting/{recording}/score.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(10),
    params:
        version=1,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
    script:
        "../scripts/sorting/score.py"


rule scores:
    """The scores of all recordings in one table."""
    input:
        scores=expand(rules.score.output.scores, recording=SORTED_RECORDINGS),
        counts=expand(rules.score.output.counts, recording=SORTED_RECORDINGS),
    output:
        scores="<results>/tables/scores.csv",
        counts="<results>/tables/counts.csv",
    log:
        "<logs>/tables/scores.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
    script:
        "../scripts/sorting/scores.py"


def megabytes_of_dataset(wildcards):
    """Of its file, or of the largest in its folder."""
    path = Path(SETTINGS.data_root, REAL_RECORDINGS[wildcards.dataset].path)
    files = path.rglob("*") if path.is_dir() else [path]
    return (
        max((file.stat().st_size for file in files if file.is_file()), default=0) / 1e6
    )


def memory_of_real_sorting(wildcards, attempt):
    """As `memory_of_sorting`, of two bytes a sample; traces that are longer lie in a file meanwhile."""
    return int(4000 + min(2 * megabytes_of_dataset(wildcards), 28_000)) * attempt


def minutes_of_real_sorting(wildcards, attempt):
    """As `minutes_of_sorting`, of 60 kB a channel and second."""
    return int(30 + megabytes_of_dataset(wildcards) / 24) * attempt


rule sort_real:
    """Sort a real recording of the data-set table with one sorter."""
    input:
        # ancient: the data set's own row, in params, decides; an edit of another row reruns nothing
        table=ancient(DATASETS),
        weights=trained_weights,
        peers=peers_of_sorter,
    output:
        "<results>/sorting/real/{dataset}/{sorter}.h5",
    log:
        "<logs>/sorting/real/{dataset}/{sorter}.log",
    benchmark:
        "<benchmarks>/sorting/real/{dataset}/{sorter}.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_real_sorting,
        runtime=minutes_of_real_sorting,
    params:
        version=version_of_sorter,
        seed=SETTINGS.seed,
        sorter=lambda wildcards: SETTINGS.sorting.sorters[wildcards.sorter].plain(),
        weights=weights_of_sorter,
        dataset=lambda wildcards: REAL_RECORDINGS[wildcards.dataset].recording_keys(),
    script:
        "../scripts/sorting/sort_real.py"


rule score_real:
    """Compare every sorting of one real recording with its known spikes, by both rules."""
    input:
        table=ancient(DATASETS),
        sortings=expand(
            "<results>/sorting/real/{{dataset}}/{sorter}.h5",
            sorter=SETTINGS.sorting.sorters,
        ),
    output:
        scores="<results>/sorting/real/{dataset}/scores.csv",
        counts="<results>/sorting/real/{dataset}/counts.csv",
    log:
        "<logs>/sorting/real/{dataset}/score.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(15),
    params:
        version=1,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
        dataset=lambda wildcards: REAL_RECORDINGS[wildcards.dataset].truth_keys(),
    script:
        "../scripts/sorting/score_real.py"


rule real_scores:
    """Scores of every real recording of the run whose true spikes are known; needs data_root."""
    input:
        RESOLVED_CONFIG,
        real_recording_scores,


rule real_tables:
    """Waveforms, an excerpt and all spikes of a real recording, by sorter."""
    input:
        table=ancient(DATASETS),
        sortings=expand(
            "<results>/sorting/real/{{dataset}}/{sorter}.h5",
            sorter=SETTINGS.sorting.sorters,
        ),
    output:
        **{
            name: f"<results>/tables/real_recording/{{dataset}}/{name}.csv"
            for name in ("waveforms", "excerpt", "spikes")
        },
    log:
        "<logs>/tables/real_tables/{dataset}.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(10),
    params:
        version=2,
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
        dataset=lambda wildcards: REAL_RECORDINGS[wildcards.dataset].recording_keys(),
    script:
        "../scripts/sorting/real_tables.py"
