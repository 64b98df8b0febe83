# What describes the run as a whole: its settings going in, its headline numbers coming out.


rule config:
    """The fully resolved configuration: what this run depends on."""
    output:
        "<results>/config.json",
    log:
        "<logs>/config.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        settings=SETTINGS.plain(),
    script:
        "../scripts/run/config.py"


rule summary:
    """The headline numbers, keyed system.figure.metric."""
    input:
        bank=rules.bank_tables.output.bank,
        scores=rules.scores.output.scores if SORTED_RECORDINGS else [],
        counts=rules.scores.output.counts if SORTED_RECORDINGS else [],
        real_scores=expand(
            rules.score_real.output.scores, dataset=KNOWN_REAL_RECORDINGS
        ),
        real_counts=expand(
            rules.score_real.output.counts, dataset=KNOWN_REAL_RECORDINGS
        ),
        detection=rules.detection_scores.output.scores if DRAWS_SIMSORT else [],
        identification=(
            rules.identification_scores.output.scores if DRAWS_SIMSORT else []
        ),
        parts=[
            *rules.placement_check.output,
            *(rules.molds_headlines.output if MOLDS_EXPERIMENTS else []),
            *expand(rules.neural_comparison.output.headlines, session=NEURAL_SESSIONS),
        ],
    output:
        "<results>/summary.json",
    log:
        "<logs>/summary.log",
    conda:
        "../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(5),
    params:
        version=4,
        benchmarks=benchmarks_made(),
        compared=COMPARED_SORTERS,
    script:
        "../scripts/run/summary.py"
