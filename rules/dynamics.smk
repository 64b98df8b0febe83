# MoLDS on simulated trajectories: data -> moments -> components -> starts -> EM -> scores, a batch of tasks per job.


include: "dynamics_plan.smk"


wildcard_constraints:
    experiment=r"[A-Za-z0-9_-]+",
    batch=r"b\d+",
    piece=r"\d+",
    start=r"tensor|truth|random",


rule molds:
    """Every figure of MoLDS."""
    input:
        RESOLVED_CONFIG,
        molds_made(),
        molds_figures,


rule molds_data:
    """Simulate mixtures and their trajectories."""
    output:
        f"{MOLDS_BATCH}/data.h5",
    log:
        "<logs>/molds/{experiment}/{batch}/data.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_molds(1),
        runtime=minutes_of_molds(0.3),
    params:
        version=1,
        seed=SETTINGS.seed,
        tasks=lambda wildcards: list(molds_batch(wildcards).tasks),
        held_out=lambda wildcards: molds_experiment(wildcards).held_out,
    script:
        "../scripts/dynamics/molds_data.py"


rule molds_second_moments:
    """Second moments of one piece of the trajectories."""
    input:
        data=rules.molds_data.output[0],
    output:
        f"{MOLDS_BATCH}/second/{{piece}}.h5",
    log:
        "<logs>/molds/{experiment}/{batch}/second/{piece}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_piece,
        runtime=minutes_of_molds(1),
    params:
        version=1,
        lags=molds_lags,
        estimators=lambda wildcards: molds_experiment(wildcards).estimators,
        trajectories_per_piece=lambda wildcards: (
            molds_experiment(wildcards).trajectories_per_piece
        ),
    script:
        "../scripts/dynamics/molds_second_moments.py"


rule molds_whitening:
    """Directions of the second moments of all pieces."""
    input:
        data=rules.molds_data.output[0],
        second=molds_pieces("second"),
    output:
        f"{MOLDS_BATCH}/whitening.h5",
    log:
        "<logs>/molds/{experiment}/{batch}/whitening.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=1,
        estimators=lambda wildcards: molds_experiment(wildcards).estimators,
    script:
        "../scripts/dynamics/molds_whitening.py"


rule molds_third_moments:
    """Third moments of one piece of the trajectories, seen through the whitening."""
    input:
        data=rules.molds_data.output[0],
        whitening=rules.molds_whitening.output[0],
    output:
        f"{MOLDS_BATCH}/third/{{piece}}.h5",
    log:
        "<logs>/molds/{experiment}/{batch}/third/{piece}.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_piece,
        runtime=minutes_of_molds(2),
    params:
        version=1,
        lags=molds_lags,
        trajectories_per_piece=lambda wildcards: (
            molds_experiment(wildcards).trajectories_per_piece
        ),
    script:
        "../scripts/dynamics/molds_third_moments.py"


rule molds_components:
    """Third moments taken apart, responses realised."""
    input:
        data=rules.molds_data.output[0],
        whitening=rules.molds_whitening.output[0],
        third=molds_pieces("third"),
    output:
        f"{MOLDS_BATCH}/components.h5",
    log:
        "<logs>/molds/{experiment}/{batch}/components.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(30),
    params:
        version=1,
        seed=SETTINGS.seed,
        decompositions=lambda wildcards: molds_experiment(wildcards).decompositions,
    script:
        "../scripts/dynamics/molds_components.py"


rule molds_starts:
    """Mixtures that EM starts from."""
    input:
        data=rules.molds_data.output[0],
        components=molds_components_of,
    output:
        f"{MOLDS_BATCH}/starts.h5",
    log:
        "<logs>/molds/{experiment}/{batch}/starts.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_molds(8),
        runtime=minutes_of_molds(2),
    params:
        version=1,
        seed=SETTINGS.seed,
        starts=lambda wildcards: molds_experiment(wildcards).em_starts,
        stage=molds_stage,
        start=molds_start,
        random_starts=molds_random_starts,
    script:
        "../scripts/dynamics/molds_starts.py"


rule molds_em:
    """EM from one kind of start."""
    input:
        data=rules.molds_data.output[0],
        starts=rules.molds_starts.output[0],
    output:
        f"{MOLDS_BATCH}/em/{{start}}.h5",
    log:
        "<logs>/molds/{experiment}/{batch}/em/{start}.log",
    benchmark:
        "<benchmarks>/molds/{experiment}/{batch}/em/{start}.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_molds(8),
        runtime=minutes_of_em,
    params:
        version=1,
        em=lambda wildcards: without(
            molds_experiment(wildcards).fit.em, "feedthrough", "checkpoint_minutes"
        ),
    script:
        "../scripts/dynamics/molds_em.py"


rule molds_scores:
    """Every estimate of a batch beside the truth."""
    input:
        unpack(molds_scored),
    output:
        f"{MOLDS_BATCH}/scores.csv",
    log:
        "<logs>/molds/{experiment}/{batch}/scores.log",
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_molds(8),
        runtime=minutes_of_molds(10),
    params:
        version=1,
        lags=molds_lags,
        methods=lambda wildcards: molds_experiment(wildcards).methods,
        stage=molds_stage,
    script:
        "../scripts/dynamics/molds_scores.py"


rule molds_table:
    """The scores of all batches of an experiment."""
    input:
        lambda wildcards: [
            f"<results>/molds/{wildcards.experiment}/{batch}/scores.csv"
            for batch in MOLDS_BATCHES[wildcards.experiment]
        ],
    output:
        "<results>/tables/molds/{experiment}.csv",
    log:
        "<logs>/tables/molds/{experiment}.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
    script:
        "../scripts/dynamics/molds_table.py"


rule molds_headlines:
    """Headline numbers of the experiments: a part of the summary."""
    input:
        smd_rtpm=molds_tables_of("molds_smd_rtpm"),
        complex=molds_tables_of("molds_complex"),
    output:
        "<results>/tables/molds_headlines.json",
    log:
        "<logs>/tables/molds_headlines.log",
    localrule: True
    conda:
        "../envs/spikeline.yaml"
    params:
        version=1,
    script:
        "../scripts/dynamics/molds_headlines.py"
