# SimSort beside other sorters, and its two networks beside plain methods; tables by rules/evaluation.smk.


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
            caption="../../workflow/report/sorting_table.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/sorting_table.pdf",
        csv="<results>/figures/sorting_table.csv",
    log:
        "<logs>/figures/sorting_table.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        compared=COMPARED_SORTERS,
    script:
        "../../scripts/figures/sorting_table.py"


rule detection:
    """Spikes that SimSort's detector and plain thresholds find."""
    input:
        scores=rules.detection_scores.output.scores,
        units=rules.detection_scores.output.units,
    output:
        png=report(
            "<results>/figures/detection.png",
            caption="../../workflow/report/detection.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/detection.pdf",
        csv="<results>/figures/detection.csv",
    log:
        "<logs>/figures/detection.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/detection.py"


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
            caption="../../workflow/report/detection_excerpt.rst",
            category="SimSort",
            labels={"recording": "{data}"},
        ),
        pdf="<results>/figures/detection_excerpt/{data}.pdf",
        csv="<results>/figures/detection_excerpt/{data}.csv",
    log:
        "<logs>/figures/detection_excerpt/{data}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/detection_excerpt.py"


rule identification:
    """How well clusters of SimSort's embedding and of plain features agree with true units."""
    input:
        scores=rules.identification_scores.output.scores,
    output:
        png=report(
            "<results>/figures/identification.png",
            caption="../../workflow/report/identification.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/identification.pdf",
        csv="<results>/figures/identification.csv",
    log:
        "<logs>/figures/identification.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/identification.py"


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
            caption="../../workflow/report/embedding.rst",
            category="SimSort",
            labels={"recording": "{data}"},
        ),
        pdf="<results>/figures/embedding/{data}.pdf",
        csv="<results>/figures/embedding/{data}.csv",
    log:
        "<logs>/figures/embedding/{data}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/embedding.py"
