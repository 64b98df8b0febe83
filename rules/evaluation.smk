# SimSort's two networks, each beside plain methods that do the same part: the tables of SimSort's figures.
DETECTION = ("scores", "units", "excerpt", "probability", "spikes", "events")
IDENTIFICATION = ("scores", "points", "outlines", "waveforms")
KNOWN_REAL_RECORDINGS = {
    name: entry
    for name, entry in REAL_RECORDINGS.items()
    if has_ground_truth(name, SETTINGS.data_root, REAL_RECORDINGS)
}
SNIPPETS = snippets_at_hand()
# What is evaluated, as it stands in paths. A detection that fits no known spike is false only if all spikes are known.
DETECTED = [
    *SORTED_RECORDINGS,
    *(
        f"real/{name}"
        for name, entry in KNOWN_REAL_RECORDINGS.items()
        if entry.truth_complete and entry.scored_units is None
    ),
]
IDENTIFIED = [
    *SORTED_RECORDINGS,
    *(f"real/{name}" for name in KNOWN_REAL_RECORDINGS),
    *(f"snippets/{name}" for name in SNIPPETS),
]
DRAWS_SIMSORT = bool(SIMSORT and SORTED_RECORDINGS)
COMPARED_SORTERS = {
    "simsort": SIMSORT,
    "peers": [
        name
        for name, sorter in SETTINGS.sorting.sorters.items()
        if sorter.sorter != "simsort"
    ],
    "tetrodes": tetrodes(SETTINGS),
}
EVALUATED_SORTER = (
    {
        "sorter": SETTINGS.sorting.sorters[SIMSORT].plain(),
        "weights": weights_checksums(SETTINGS.sorting.sorters[SIMSORT]),
    }
    if SIMSORT
    else {}
)


rule detection_tables:
    """SimSort's detector beside thresholds, and an excerpt, on one recording."""
    input:
        recording=rules.recording.output.manifest,
        weights=trained_networks,
    output:
        **{
            name: f"<results>/tables/detection/{{recording}}/{name}.csv"
            for name in DETECTION
        },
    log:
        "<logs>/tables/detection/{recording}.log",
    conda:
        "../envs/spikeline.yaml"
    # part of what makes the tables the same to the byte
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(20),
    params:
        **EVALUATED_SORTER,
        version=5,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
    script:
        "../scripts/sorting/detection_tables.py"


rule detection_tables_real:
    """The same on a real recording all of whose spikes are known."""
    input:
        # ancient: the data set's own row, in params, decides; an edit of another row reruns nothing
        table=ancient(DATASETS),
        weights=trained_networks,
    output:
        **{
            name: f"<results>/tables/detection/real/{{dataset}}/{name}.csv"
            for name in DETECTION
        },
    log:
        "<logs>/tables/detection/real/{dataset}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(20),
    params:
        **EVALUATED_SORTER,
        version=5,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
        dataset=lambda wildcards: REAL_RECORDINGS[wildcards.dataset].truth_keys(),
    script:
        "../scripts/sorting/detection_tables.py"


rule detection_scores:
    """The detection scores of all recordings in one table."""
    input:
        scores=expand("<results>/tables/detection/{data}/scores.csv", data=DETECTED),
        units=expand("<results>/tables/detection/{data}/units.csv", data=DETECTED),
    output:
        scores="<results>/tables/detection_scores.csv",
        units="<results>/tables/detection_units.csv",
    log:
        "<logs>/tables/detection_scores.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
    script:
        "../scripts/sorting/detection_scores.py"


rule identification_tables:
    """True spikes of one recording, clustered by SimSort's embedding and by plain features."""
    input:
        recording=rules.recording.output.manifest,
        weights=trained_networks,
    output:
        **{
            name: f"<results>/tables/identification/{{recording}}/{name}.csv"
            for name in IDENTIFICATION
        },
    log:
        "<logs>/tables/identification/{recording}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(40),
    params:
        **EVALUATED_SORTER,
        version=4,
        seed=SETTINGS.seed,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
    script:
        "../scripts/sorting/identification_tables.py"


rule identification_tables_real:
    """The same of a real recording with known spikes."""
    input:
        table=ancient(DATASETS),
        weights=trained_networks,
    output:
        **{
            name: f"<results>/tables/identification/real/{{dataset}}/{name}.csv"
            for name in IDENTIFICATION
        },
    log:
        "<logs>/tables/identification/real/{dataset}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(40),
    params:
        **EVALUATED_SORTER,
        version=5,
        seed=SETTINGS.seed,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
        dataset=lambda wildcards: REAL_RECORDINGS[wildcards.dataset].truth_keys(),
    script:
        "../scripts/sorting/identification_tables.py"


rule snippet_tables:
    """The same of snippets that a data set brings, with their units."""
    input:
        table=ancient(DATASETS),
        weights=trained_networks,
    output:
        **{
            name: f"<results>/tables/identification/snippets/{{dataset}}/{name}.csv"
            for name in IDENTIFICATION
        },
    log:
        "<logs>/tables/identification/snippets/{dataset}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(20),
    params:
        **EVALUATED_SORTER,
        version=4,
        seed=SETTINGS.seed,
        dataset=lambda wildcards: SNIPPETS[wildcards.dataset].truth_keys(),
    script:
        "../scripts/sorting/snippet_tables.py"


rule identification_scores:
    """The identification scores of everything in one table."""
    input:
        scores=expand(
            "<results>/tables/identification/{data}/scores.csv", data=IDENTIFIED
        ),
    output:
        scores="<results>/tables/identification_scores.csv",
    log:
        "<logs>/tables/identification_scores.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
    script:
        "../scripts/sorting/identification_scores.py"
