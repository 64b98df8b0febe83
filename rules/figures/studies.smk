# What SimSort's studies show; their tables by rules/studies.smk.


rule training_data:
    """Accuracy against the amount of simulated data SimSort was trained on."""
    input:
        tables=tables_of_figure("training_data"),
    output:
        png=report(
            "<results>/figures/training_data.png",
            caption="../../workflow/report/training_data.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/training_data.pdf",
        csv="<results>/figures/training_data.csv",
    log:
        "<logs>/figures/training_data.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        studies=amounts_of("training_data"),
    script:
        "../../scripts/figures/training_data.py"


rule held_out_classes:
    """Accuracy by cell class, with classes held out of the training."""
    input:
        tables=tables_of_figure("held_out_classes"),
    output:
        png=report(
            "<results>/figures/held_out_classes.png",
            caption="../../workflow/report/held_out_classes.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/held_out_classes.pdf",
        csv="<results>/figures/held_out_classes.csv",
    log:
        "<logs>/figures/held_out_classes.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/held_out_classes.py"


rule ablations:
    """What SimSort loses without parts of its training and of its networks."""
    input:
        tables=tables_of_figure("ablations"),
        clusterings=clusterings_of_run,
    output:
        png=report(
            "<results>/figures/ablations.png",
            caption="../../workflow/report/ablations.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/ablations.pdf",
        csv="<results>/figures/ablations.csv",
    log:
        "<logs>/figures/ablations.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
        clusterings=bool(SIMSORT),
    script:
        "../../scripts/figures/ablations.py"


rule fine_tuning:
    """SimSort's networks tuned on a little labelled recording."""
    input:
        table=rules.tuning_table.output[0],
    output:
        png=report(
            "<results>/figures/fine_tuning.png",
            caption="../../workflow/report/fine_tuning.rst",
            category="SimSort",
        ),
        pdf="<results>/figures/fine_tuning.pdf",
        csv="<results>/figures/fine_tuning.csv",
    log:
        "<logs>/figures/fine_tuning.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        tier=SETTINGS.run,
    script:
        "../../scripts/figures/fine_tuning.py"
