# Mixtures of linear systems in neural sessions; their tables by rules/dynamics_neural.smk.
MOLDS_NEURAL_FIGURES = expand(
    "<results>/figures/molds_{kind}/{session}.png",
    kind=["selection", "clusters", "prediction", "stability"],
    session=NEURAL_SESSIONS,
)


rule molds_sessions:
    """Every figure of every neural session of the run."""
    input:
        RESOLVED_CONFIG,
        MOLDS_NEURAL_FIGURES,


rule molds_selection:
    """How many components and states the trials of a session ask for."""
    input:
        selection=rules.neural_comparison.output.selection,
        facts=rules.neural_trajectories.output.facts,
    output:
        png=report(
            "<results>/figures/molds_selection/{session}.png",
            caption="../../workflow/report/molds_selection.rst",
            category="MoLDS",
            labels={"session": "{session}"},
        ),
        pdf="<results>/figures/molds_selection/{session}.pdf",
        csv="<results>/figures/molds_selection/{session}.csv",
    log:
        "<logs>/figures/molds_selection/{session}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=2,
        tier=SETTINGS.run,
        simulated=is_simulated,
        true_components=true_components,
        published=published_components,
    script:
        "../../scripts/figures/molds_selection.py"


rule molds_clusters:
    """Which reaches go together, by every method, and the components' responses."""
    input:
        labels=rules.neural_comparison.output.labels,
        methods=rules.neural_comparison.output.methods,
        responses=rules.neural_comparison.output.responses,
        similarity=rules.neural_comparison.output.similarity,
        facts=rules.neural_trajectories.output.facts,
    output:
        png=report(
            "<results>/figures/molds_clusters/{session}.png",
            caption="../../workflow/report/molds_clusters.rst",
            category="MoLDS",
            labels={"session": "{session}"},
        ),
        pdf="<results>/figures/molds_clusters/{session}.pdf",
        csv="<results>/figures/molds_clusters/{session}.csv",
    log:
        "<logs>/figures/molds_clusters/{session}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=2,
        tier=SETTINGS.run,
        simulated=is_simulated,
    script:
        "../../scripts/figures/molds_clusters.py"


rule molds_prediction:
    """How far ahead held-out trials are predicted, and the delay of activity."""
    input:
        prediction=rules.neural_comparison.output.prediction,
        delays=rules.neural_trajectories.output.delays,
        facts=rules.neural_trajectories.output.facts,
    output:
        png=report(
            "<results>/figures/molds_prediction/{session}.png",
            caption="../../workflow/report/molds_prediction.rst",
            category="MoLDS",
            labels={"session": "{session}"},
        ),
        pdf="<results>/figures/molds_prediction/{session}.pdf",
        csv="<results>/figures/molds_prediction/{session}.csv",
    log:
        "<logs>/figures/molds_prediction/{session}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=2,
        tier=SETTINGS.run,
        simulated=is_simulated,
    script:
        "../../scripts/figures/molds_prediction.py"


rule molds_stability:
    """How sure the groups are, and whether other trials give the same ones."""
    input:
        labels=rules.neural_comparison.output.labels,
        subsets=rules.neural_stability.output.subsets,
        single_trials=rules.neural_stability.output.single_trials,
        facts=rules.neural_trajectories.output.facts,
    output:
        png=report(
            "<results>/figures/molds_stability/{session}.png",
            caption="../../workflow/report/molds_stability.rst",
            category="MoLDS",
            labels={"session": "{session}"},
        ),
        pdf="<results>/figures/molds_stability/{session}.pdf",
        csv="<results>/figures/molds_stability/{session}.csv",
    log:
        "<logs>/figures/molds_stability/{session}.log",
    conda:
        "../../envs/spikeline.yaml"
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(5),
    params:
        version=2,
        tier=SETTINGS.run,
        simulated=is_simulated,
    script:
        "../../scripts/figures/molds_stability.py"
