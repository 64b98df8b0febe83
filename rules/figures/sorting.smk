# What sorters find, on simulated and on real recordings.


rule accuracy:
    """Accuracy of every sorter by both rules, and against the signal-to-noise ratio."""
    input:
        scores=rules.scores.output.scores,
        counts=rules.scores.output.counts,
    output:
        png=report(
            "<results>/figures/accuracy.png",
            caption="../../workflow/report/accuracy.rst",
            category="Sorting",
        ),
        pdf="<results>/figures/accuracy.pdf",
        csv="<results>/figures/accuracy.csv",
    log:
        "<logs>/figures/accuracy.log",
    conda:
        "../../envs/spikeline.yaml"
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
        "../../scripts/figures/accuracy.py"


rule real_recording:
    """A real recording of the data-set table, sorted by every sorter."""
    input:
        **rules.real_tables.output,
    output:
        png=report(
            "<results>/figures/real_recording/{dataset}.png",
            caption="../../workflow/report/real_recording.rst",
            category="Sorting",
            labels={"data set": "{dataset}"},
        ),
        pdf="<results>/figures/real_recording/{dataset}.pdf",
        csv="<results>/figures/real_recording/{dataset}.csv",
    log:
        "<logs>/figures/real_recording/{dataset}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=2,
        tier=SETTINGS.run,
        # one that found nothing stands in no table
        sorters=list(SETTINGS.sorting.sorters),
    script:
        "../../scripts/figures/real_recording.py"
