# Tables in, pictures out. One rule per figure; the rule, its script, its function and its picture share one name.
SIMSORT_FIGURES = [
    "<results>/figures/sorting_table.png",
    "<results>/figures/detection.png",
    "<results>/figures/identification.png",
    *expand("<results>/figures/detection_excerpt/{data}.png", data=DETECTED),
    *expand("<results>/figures/embedding/{data}.png", data=IDENTIFIED),
]
FIGURES = [
    "<results>/figures/cells.png",
    "<results>/figures/traces.png",
    "<results>/figures/bank_rank.png",
    *expand(
        "<results>/figures/recording_excerpt/{recording}.png",
        recording=SETTINGS.recordings,
    ),
    *(["<results>/figures/accuracy.png"] if SORTED_RECORDINGS else []),
    *(
        expand(
            "<results>/figures/real_recording/{dataset}.png", dataset=REAL_RECORDINGS
        )
    ),
    *(SIMSORT_FIGURES if DRAWS_SIMSORT else []),
]


rule figures:
    """Every figure of the run."""
    input:
        RESOLVED_CONFIG,
        FIGURES,


rule recording_excerpts:
    """The figure recording_excerpt of every recording."""
    input:
        RESOLVED_CONFIG,
        expand(
            "<results>/figures/recording_excerpt/{recording}.png",
            recording=SETTINGS.recordings,
        ),


rule real_recordings:
    """The figure real_recording of every real recording of the run; needs data_root."""
    input:
        RESOLVED_CONFIG,
        real_recording_figures,


rule simsort:
    """Every figure of SimSort."""
    input:
        RESOLVED_CONFIG,
        SIMSORT_FIGURES,


rule bank_tables:
    """What the figures of the bank are drawn from, and one row per entry."""
    input:
        currents_of(SHARDS),
    output:
        **{
            name: f"<results>/tables/{name}.csv"
            for name in ("bank", "morphology", "footprint", "rank_error", "traces")
        },
    log:
        "<logs>/tables/bank_tables.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        version=1,
        split={
            cell: split
            for split in ("train", "test")
            for cell in getattr(SETTINGS.simulation.cells, split)
        },
        reference_distance_um=SETTINGS.simulation.bank.reference_distance_um,
        conductivity_s_per_m=SETTINGS.simulation.bank.conductivity_s_per_m,
    script:
        "../scripts/simulation/bank_tables.py"


rule cells:
    """The cells, and the extracellular spike around each soma."""
    input:
        morphology=rules.bank_tables.output.morphology,
        footprint=rules.bank_tables.output.footprint,
    output:
        png=report(
            "<results>/figures/cells.png",
            caption="../workflow/report/cells.rst",
            category="Simulation",
        ),
        pdf="<results>/figures/cells.pdf",
        csv="<results>/figures/cells.csv",
    log:
        "<logs>/figures/cells.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/cells.py"


rule traces:
    """What happens inside a soma, and what electrodes beside it see."""
    input:
        traces=rules.bank_tables.output.traces,
        morphology=rules.bank_tables.output.morphology,
    output:
        png=report(
            "<results>/figures/traces.png",
            caption="../workflow/report/traces.rst",
            category="Simulation",
        ),
        pdf="<results>/figures/traces.pdf",
        csv="<results>/figures/traces.csv",
    log:
        "<logs>/figures/traces.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/traces.py"


rule bank_rank:
    """How few components carry a cell's membrane currents."""
    input:
        rank_error=rules.bank_tables.output.rank_error,
        bank=rules.bank_tables.output.bank,
    output:
        png=report(
            "<results>/figures/bank_rank.png",
            caption="../workflow/report/bank_rank.rst",
            category="Simulation",
        ),
        pdf="<results>/figures/bank_rank.pdf",
        csv="<results>/figures/bank_rank.csv",
    log:
        "<logs>/figures/bank_rank.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        tolerance_uv=SETTINGS.simulation.bank.max_error_uv,
        tolerance_percent=SETTINGS.simulation.bank.rms_error_percent,
    script:
        "../scripts/figures/bank_rank.py"


rule excerpt_tables:
    """A few hundred milliseconds of a recording with its true spikes, its units and its probe."""
    input:
        rules.recording.output.manifest,
    output:
        **{
            name: f"<results>/tables/recording_excerpt/{{recording}}/{name}.csv"
            for name in ("excerpt", "spikes", "units", "contacts")
        },
    log:
        "<logs>/tables/excerpt_tables/{recording}.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(5),
    params:
        version=1,
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
    script:
        "../scripts/recordings/excerpt_tables.py"


rule recording_excerpt:
    """A recording with its units."""
    input:
        **rules.excerpt_tables.output,
    output:
        png=report(
            "<results>/figures/recording_excerpt/{recording}.png",
            caption="../workflow/report/recording_excerpt.rst",
            category="Recordings",
            labels={"recording": "{recording}"},
        ),
        pdf="<results>/figures/recording_excerpt/{recording}.pdf",
        csv="<results>/figures/recording_excerpt/{recording}.csv",
    log:
        "<logs>/figures/recording_excerpt/{recording}.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/recording_excerpt.py"


rule accuracy:
    """Accuracy of every sorter by both rules, and against the signal-to-noise ratio."""
    input:
        scores=rules.scores.output.scores,
        counts=rules.scores.output.counts,
    output:
        png=report(
            "<results>/figures/accuracy.png",
            caption="../workflow/report/accuracy.rst",
            category="Sorting",
        ),
        pdf="<results>/figures/accuracy.pdf",
        csv="<results>/figures/accuracy.csv",
    log:
        "<logs>/figures/accuracy.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        snr_edges=SETTINGS.sorting.scoring.snr_edges,
        well_detected_accuracy=SETTINGS.sorting.scoring.well_detected_accuracy,
        true_time=SETTINGS.sorting.scoring.true_time,
    script:
        "../scripts/figures/accuracy.py"


rule real_recording:
    """A real recording of the data-set table, sorted by every sorter."""
    input:
        **rules.real_tables.output,
    output:
        png=report(
            "<results>/figures/real_recording/{dataset}.png",
            caption="../workflow/report/real_recording.rst",
            category="Sorting",
            labels={"data set": "{dataset}"},
        ),
        pdf="<results>/figures/real_recording/{dataset}.pdf",
        csv="<results>/figures/real_recording/{dataset}.csv",
    log:
        "<logs>/figures/real_recording/{dataset}.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/real_recording.py"


rule sorting_table:
    """Accuracy, recall and precision of every sorter on every recording, by both rules."""
    input:
        scores=[
            *([rules.scores.output.scores] if SORTED_RECORDINGS else []),
            *expand(rules.score_real.output.scores, dataset=KNOWN_REAL_RECORDINGS),
        ],
    output:
        png=report(
            "<results>/figures/sorting_table.png",
            caption="../workflow/report/sorting_table.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/sorting_table.pdf",
        csv="<results>/figures/sorting_table.csv",
    log:
        "<logs>/figures/sorting_table.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        compared=COMPARED_SORTERS,
    script:
        "../scripts/figures/sorting_table.py"


rule detection:
    """Spikes that SimSort's detector and plain thresholds find."""
    input:
        scores=rules.detection_scores.output.scores,
        units=rules.detection_scores.output.units,
    output:
        png=report(
            "<results>/figures/detection.png",
            caption="../workflow/report/detection.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/detection.pdf",
        csv="<results>/figures/detection.csv",
    log:
        "<logs>/figures/detection.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/detection.py"


rule detection_excerpt:
    """A second of a recording with the detector's probability."""
    input:
        **{
            name: f"<results>/tables/detection/{{data}}/{name}.csv"
            for name in ("excerpt", "probability", "spikes", "events")
        },
    output:
        png=report(
            "<results>/figures/detection_excerpt/{data}.png",
            caption="../workflow/report/detection_excerpt.rst",
            category="SimSort",
            labels={"recording": "{data}"},
        ),
        pdf="<results>/figures/detection_excerpt/{data}.pdf",
        csv="<results>/figures/detection_excerpt/{data}.csv",
    log:
        "<logs>/figures/detection_excerpt/{data}.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/detection_excerpt.py"


rule identification:
    """How well clusters of SimSort's embedding and of plain features agree with true units."""
    input:
        scores=rules.identification_scores.output.scores,
    output:
        png=report(
            "<results>/figures/identification.png",
            caption="../workflow/report/identification.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/identification.pdf",
        csv="<results>/figures/identification.csv",
    log:
        "<logs>/figures/identification.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/identification.py"


rule embedding:
    """True spikes as SimSort's embedding and plain features place them, and their waveforms."""
    input:
        **{
            name: f"<results>/tables/identification/{{data}}/{name}.csv"
            for name in ("points", "outlines", "waveforms")
        },
    output:
        png=report(
            "<results>/figures/embedding/{data}.png",
            caption="../workflow/report/embedding.rst",
            category="SimSort",
            labels={"recording": "{data}"},
        ),
        pdf="<results>/figures/embedding/{data}.pdf",
        csv="<results>/figures/embedding/{data}.csv",
    log:
        "<logs>/figures/embedding/{data}.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../scripts/figures/embedding.py"
