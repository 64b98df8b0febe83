# Simulated recordings with their units.


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
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(5),
    params:
        version=1,
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
    script:
        "../../scripts/recordings/excerpt_tables.py"


rule recording_excerpt:
    """A recording with its units."""
    input:
        **rules.excerpt_tables.output,
    output:
        png=report(
            "<results>/figures/recording_excerpt/{recording}.png",
            caption="../../workflow/report/recording_excerpt.rst",
            category="Recordings",
            labels={"recording": "{recording}"},
        ),
        pdf="<results>/figures/recording_excerpt/{recording}.pdf",
        csv="<results>/figures/recording_excerpt/{recording}.csv",
    log:
        "<logs>/figures/recording_excerpt/{recording}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/recording_excerpt.py"
