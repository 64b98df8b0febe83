# Recordings -> sortings -> scores.


include: "sorting_plan.smk"


SORTED_RECORDINGS = SETTINGS.sorting.recordings or [
    name for name, recording in SETTINGS.recordings.items() if recording.split == "test"
]


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
