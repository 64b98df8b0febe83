# Studies of SimSort: its training with something changed, its networks tuned. Targets of their own: a plain run makes none.


include: "study_plan.smk"


rule simsort_studies:
    """Every figure of SimSort's studies."""
    input:
        RESOLVED_CONFIG,
        made_for_studies,
        figures_of_studies,


rule study_training:
    """Train one network as a variant of a study says."""
    input:
        lambda wildcards: currents_of(training_of_study(wildcards).entries),
    output:
        weights="<results>/sorting/simsort/studies/{study}/{variant}/{repeat}/{network}.safetensors",
        card="<results>/sorting/simsort/studies/{study}/{variant}/{repeat}/{network}.card.json",
        log="<results>/tables/simsort_training/studies/{study}/{variant}/{repeat}/{network}.csv",
    log:
        "<logs>/sorting/simsort/studies/{study}/{variant}/{repeat}/{network}.log",
    benchmark:
        "<benchmarks>/sorting/simsort/studies/{study}/{variant}/{repeat}/{network}.tsv"
    wildcard_constraints:
        variant=r"[A-Za-z0-9_-]+",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_training,
        runtime=lambda wildcards, attempt: minutes_of_training(
            training_of_study(wildcards).settings.training
        )(wildcards, attempt),
        gpu=lambda wildcards: gpus_of_training(training_of_study(wildcards).settings),
    params:
        version=1,
        how=lambda wildcards: training_of_study(wildcards).params(),
        # part of what makes the weights the same to the byte
        torch_threads=1,
    script:
        "../scripts/sorting/study_training.py"


rule study_scores:
    """Sort one recording with the networks of a variant, and look at each network by itself."""
    input:
        recording=rules.recording.output.manifest,
        detector=networks_of_study("detector"),
        identifier=networks_of_study("identifier"),
    output:
        "<results>/tables/simsort_studies/{study}/{variant}/{repeat}/{recording}.csv",
    log:
        "<logs>/tables/simsort_studies/{study}/{variant}/{repeat}/{recording}.log",
    wildcard_constraints:
        variant=r"[A-Za-z0-9_-]+",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(30),
    params:
        version=3,
        sorter_version=SORTER_VERSIONS["simsort"],
        seed=SETTINGS.seed,
        sorter=STUDIED_SORTER,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
        start_s=0.0,
    script:
        "../scripts/sorting/study_scores.py"


rule study_table:
    """All scores of a study."""
    input:
        lambda wildcards: list(
            dict.fromkeys(part["path"] for part in parts_of_study(wildcards))
        ),
    output:
        "<results>/tables/simsort_studies/{study}.csv",
    log:
        "<logs>/tables/simsort_studies/{study}.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
        parts=lambda wildcards: in_results(parts_of_study(wildcards)),
    script:
        "../scripts/sorting/study_table.py"


rule clustering_table:
    """The embedding of one recording's true spikes, reduced and clustered in other ways."""
    input:
        recording=rules.recording.output.manifest,
        weights=trained_networks,
    output:
        "<results>/tables/simsort_clusterings/{recording}.csv",
    log:
        "<logs>/tables/simsort_clusterings/{recording}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(30),
    params:
        **EVALUATED_SORTER,
        version=2,
        seed=SETTINGS.seed,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
    script:
        "../scripts/sorting/clustering_table.py"


rule tuning:
    """Let SimSort's networks learn on from the first seconds of a recording."""
    input:
        recording=rules.recording.output.manifest,
        detector=start_of_tuning("detector"),
        identifier=start_of_tuning("identifier"),
    output:
        detector="<results>/sorting/simsort/tuned/{recording}/{labelled}/{repeat}/detector.safetensors",
        detector_card="<results>/sorting/simsort/tuned/{recording}/{labelled}/{repeat}/detector.card.json",
        detector_log="<results>/tables/simsort_training/tuned/{recording}/{labelled}/{repeat}/detector.csv",
        identifier="<results>/sorting/simsort/tuned/{recording}/{labelled}/{repeat}/identifier.safetensors",
        identifier_card="<results>/sorting/simsort/tuned/{recording}/{labelled}/{repeat}/identifier.card.json",
        identifier_log="<results>/tables/simsort_training/tuned/{recording}/{labelled}/{repeat}/identifier.csv",
    log:
        "<logs>/sorting/simsort/tuned/{recording}/{labelled}/{repeat}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(15),
    params:
        version=2,
        seed=lambda wildcards: seed_of_repeat(
            SETTINGS.seed, "simsort-tuning", int(wildcards.repeat)
        ),
        tuning=without(
            SETTINGS.simsort_tuning, "labelled_s", "recordings", "repeats", "start"
        ),
        labelled_s=lambda wildcards: float(wildcards.labelled),
        start=START_CHECKSUMS,
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
        true_time=SETTINGS.sorting.scoring.true_time,
        torch_threads=1,
    script:
        "../scripts/sorting/tuning.py"


rule tuning_scores:
    """Sort what comes after the longest labelled stretch of a recording with tuned networks."""
    input:
        recording=rules.recording.output.manifest,
        detector=networks_of_tuning("detector"),
        identifier=networks_of_tuning("identifier"),
    output:
        "<results>/tables/simsort_tuning/{recording}/{labelled}/{repeat}.csv",
    log:
        "<logs>/tables/simsort_tuning/{recording}/{labelled}/{repeat}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(30),
    params:
        version=3,
        sorter_version=SORTER_VERSIONS["simsort"],
        seed=SETTINGS.seed,
        sorter=STUDIED_SORTER,
        scoring=SETTINGS.sorting.scoring.plain(),
        filter_hz=SETTINGS.sorting.plain()["filter_hz"],
        start_s=max(SETTINGS.simsort_tuning.labelled_s, default=0.0),
        start=lambda wildcards: (
            START_CHECKSUMS if float(wildcards.labelled) == 0 else {}
        ),
    script:
        "../scripts/sorting/study_scores.py"


rule tuning_table:
    """All scores of tuned networks."""
    input:
        lambda wildcards: [part["path"] for part in parts_of_tuning(wildcards)],
    output:
        "<results>/tables/simsort_tuning.csv",
    log:
        "<logs>/tables/simsort_tuning.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
        parts=lambda wildcards: in_results(parts_of_tuning(wildcards)),
    script:
        "../scripts/sorting/study_table.py"


include: "figures/studies.smk"
