# Neural sessions -> trajectories -> mixtures of all sizes -> the chosen one beside other methods -> tables.
# Figures are drawn in figures/dynamics_neural.smk.
include: "dynamics_neural_plan.smk"


rule neural_trajectories:
    """A session, simulated or of a data set, and its trials as trajectories with the delay that suits them."""
    input:
        # ancient: the data set's own row, in params, decides; an edit of another row reruns nothing
        table=lambda wildcards: [] if is_simulated(wildcards) else ancient(DATASETS),
    output:
        session="<results>/sessions/{session}.h5",
        trajectories="<results>/molds_neural/{session}/trajectories.h5",
        delays="<results>/tables/molds_neural/{session}/delays.csv",
        facts="<results>/tables/molds_neural/{session}/facts.csv",
    log:
        "<logs>/molds_neural/{session}/trajectories.log",
    benchmark:
        "<benchmarks>/molds_neural/{session}/trajectories.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(30),
    params:
        version=2,
        seed=SETTINGS.seed,
        session=keys_of_session(*TRAJECTORY_KEYS),
        shared=shared_keys("square_root", "folds", "test_fold", "sectors", "fit"),
        dataset=dataset_of_session,
    script:
        "../scripts/dynamics/neural_trajectories.py"


rule neural_sizes:
    """Mixtures of some numbers of components and states, and how well they do."""
    input:
        trajectories=rules.neural_trajectories.output.trajectories,
    output:
        "<results>/tables/molds_neural/{session}/sizes/{fits}.csv",
    log:
        "<logs>/molds_neural/{session}/sizes/{fits}.log",
    benchmark:
        "<benchmarks>/molds_neural/{session}/sizes/{fits}.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        version=1,
        seed=SETTINGS.seed,
        sizes=sizes_of_batch,
        shared=shared_keys("fit"),
    script:
        "../scripts/dynamics/neural_sizes.py"


rule neural_comparison:
    """The size that the criterion chooses, and all methods of that size."""
    input:
        trajectories=rules.neural_trajectories.output.trajectories,
        sizes=sizes_of_session,
    output:
        **{
            name: f"<results>/tables/molds_neural/{{session}}/{name}.csv"
            for name in (
                "selection",
                "labels",
                "methods",
                "prediction",
                "responses",
                "similarity",
            )
        },
        fit="<results>/molds_neural/{session}/fit.h5",
        headlines="<results>/molds_neural/{session}/headlines.json",
    log:
        "<logs>/molds_neural/{session}/comparison.log",
    benchmark:
        "<benchmarks>/molds_neural/{session}/comparison.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        version=2,
        seed=SETTINGS.seed,
        horizons=lambda wildcards: session_of(wildcards).horizons,
        shared=shared_keys(
            "criterion", "fit", "random_starts", "switching", "sectors", "shuffles"
        ),
    script:
        "../scripts/dynamics/neural_comparison.py"


rule neural_stability:
    """Whether other trials would have given the same groups, and what single trials say."""
    input:
        trajectories=rules.neural_trajectories.output.trajectories,
        fit=rules.neural_comparison.output.fit,
    output:
        subsets="<results>/tables/molds_neural/{session}/subsets.csv",
        single_trials="<results>/tables/molds_neural/{session}/single_trials.csv",
    log:
        "<logs>/molds_neural/{session}/stability.log",
    benchmark:
        "<benchmarks>/molds_neural/{session}/stability.tsv"
    conda:
        "../envs/spikeline.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        version=1,
        seed=SETTINGS.seed,
        shared=shared_keys("fit", "subsets", "subset_share"),
    script:
        "../scripts/dynamics/neural_stability.py"


include: "figures/dynamics_neural.smk"
