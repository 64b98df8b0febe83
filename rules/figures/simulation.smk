# The bank: cells, what their somas do and what electrodes see, and how few components carry it.


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
        "../../envs/spikeline.yaml"
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
        "../../scripts/simulation/bank_tables.py"


rule cells:
    """The cells, and the extracellular spike around each soma."""
    input:
        morphology=rules.bank_tables.output.morphology,
        footprint=rules.bank_tables.output.footprint,
    output:
        png=report(
            "<results>/figures/cells.png",
            caption="../../workflow/report/cells.rst",
            category="Simulation",
        ),
        pdf="<results>/figures/cells.pdf",
        csv="<results>/figures/cells.csv",
    log:
        "<logs>/figures/cells.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/cells.py"


rule traces:
    """What happens inside a soma, and what electrodes beside it see."""
    input:
        traces=rules.bank_tables.output.traces,
        morphology=rules.bank_tables.output.morphology,
    output:
        png=report(
            "<results>/figures/traces.png",
            caption="../../workflow/report/traces.rst",
            category="Simulation",
        ),
        pdf="<results>/figures/traces.pdf",
        csv="<results>/figures/traces.csv",
    log:
        "<logs>/figures/traces.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/traces.py"


rule bank_rank:
    """How few components carry a cell's membrane currents."""
    input:
        rank_error=rules.bank_tables.output.rank_error,
        bank=rules.bank_tables.output.bank,
    output:
        png=report(
            "<results>/figures/bank_rank.png",
            caption="../../workflow/report/bank_rank.rst",
            category="Simulation",
        ),
        pdf="<results>/figures/bank_rank.pdf",
        csv="<results>/figures/bank_rank.csv",
    log:
        "<logs>/figures/bank_rank.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        tolerance_uv=SETTINGS.simulation.bank.max_error_uv,
        tolerance_percent=SETTINGS.simulation.bank.rms_error_percent,
    script:
        "../../scripts/figures/bank_rank.py"
