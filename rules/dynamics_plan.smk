# What MoLDS' experiments consist of, for rules/dynamics.smk: batches of tasks, pieces of trajectories, and their paths.
MOLDS_EXPERIMENTS = SETTINGS.molds.experiments
MOLDS_BATCHES = {
    name: experiment_batches(settings) for name, settings in MOLDS_EXPERIMENTS.items()
}
MOLDS_FIGURES = [
    f"<results>/figures/{figure}.png"
    for figure in sorted({settings.figure for settings in MOLDS_EXPERIMENTS.values()})
]
MOLDS_BATCH = "<results>/molds/{experiment}/{batch}"


def molds_experiment(wildcards):
    """Settings of one experiment; a path that no experiment needs is nobody's."""
    if wildcards.experiment not in MOLDS_EXPERIMENTS:
        raise WorkflowError(
            f"no experiment of this run is called {wildcards.experiment}"
        )
    return MOLDS_EXPERIMENTS[wildcards.experiment]


def molds_batch(wildcards):
    """One batch of tasks."""
    molds_experiment(wildcards)
    batches = MOLDS_BATCHES[wildcards.experiment]
    if wildcards.batch not in batches:
        raise WorkflowError(
            f"experiment {wildcards.experiment} has no batch {wildcards.batch}"
        )
    return batches[wildcards.batch]


def molds_lags(wildcards):
    """Length of responses, or none where each task has its own by its states."""
    return molds_experiment(wildcards).fit.moments.lags


def molds_stage(wildcards):
    """Estimator and decomposition that EM starts from, if it starts from moments."""
    settings = molds_experiment(wildcards)
    if "tensor" not in settings.em_starts:
        return ["", ""]
    return [settings.estimators[0], settings.decompositions[0]]


def molds_random_starts(wildcards):
    """How many random mixtures are fitted: several only for the best of them."""
    settings = molds_experiment(wildcards)
    return settings.random_starts if "random_best" in settings.methods else 1


def molds_pieces(moment):
    """All pieces of a moment of one batch."""
    return lambda wildcards: expand(
        f"<results>/molds/{wildcards.experiment}/{wildcards.batch}/{moment}/{{piece}}.h5",
        piece=range(molds_batch(wildcards).pieces),
    )


def molds_components_of(wildcards):
    """What the tensor stage found of a batch, if EM starts there."""
    if "tensor" not in molds_experiment(wildcards).em_starts:
        return []
    return f"<results>/molds/{wildcards.experiment}/{wildcards.batch}/components.h5"


def molds_scored(wildcards):
    """Files that the scores of a batch are of, by what they hold, as far as the experiment's methods need them."""
    settings = molds_experiment(wildcards)
    folder = f"<results>/molds/{wildcards.experiment}/{wildcards.batch}"
    files = {"data": f"{folder}/data.h5"}
    if settings.uses_moments:
        files |= {name: f"{folder}/{name}.h5" for name in ("whitening", "components")}
    if settings.em_starts:
        files["starts"] = f"{folder}/starts.h5"
        files["fits"] = [f"{folder}/em/{start}.h5" for start in settings.em_starts]
    return files


def molds_tables_of(figure):
    """Tables of all experiments that a figure shows."""
    return [
        f"<results>/tables/molds/{name}.csv"
        for name, settings in MOLDS_EXPERIMENTS.items()
        if settings.figure == figure
    ]


def molds_tables(figure):
    """The same for the figure itself; without any, an error says what is missing."""

    def paths(wildcards):
        if not molds_tables_of(figure):
            raise WorkflowError(
                f"no experiment to draw {figure} from: none under molds.experiments has figure: {figure}\n"
                "  expected: an experiment; config/quick.yaml has examples\n"
                "  what to do: add one, or ask for another target"
            )
        return molds_tables_of(figure)

    return paths


def molds_facts(figure):
    """What a caption says of the experiments of a figure."""
    return {
        name: {
            "seeds": settings.seeds,
            "random_starts": (
                settings.random_starts if "random_best" in settings.methods else None
            ),
            "held_out": settings.held_out,
        }
        for name, settings in MOLDS_EXPERIMENTS.items()
        if settings.figure == figure
    }


def molds_made():
    """Every file of every experiment: named although figures need them, because a deleted file is rebuilt only if it is asked for."""
    made = []
    for experiment, settings in MOLDS_EXPERIMENTS.items():
        for batch in MOLDS_BATCHES[experiment].values():
            folder = f"<results>/molds/{experiment}/{batch.name}"
            names = ["data"]
            if settings.uses_moments:
                names += [
                    f"{moment}/{piece}"
                    for moment in ("second", "third")
                    for piece in range(batch.pieces)
                ]
                names += ["whitening", "components"]
            if settings.em_starts:
                names += ["starts", *(f"em/{start}" for start in settings.em_starts)]
            made += [f"{folder}/{name}.h5" for name in names]
            made.append(f"{folder}/scores.csv")
    return made


def molds_figures(wildcards):
    """All figures of MoLDS; asked for by name without any, an error says what is missing."""
    figures = [*MOLDS_FIGURES, *MOLDS_NEURAL_FIGURES]
    if not figures:
        raise WorkflowError(
            "no figure of MoLDS: molds.experiments and molds.neural.sessions are empty\n"
            "  expected: an experiment or a session; config/quick.yaml has examples\n"
            "  what to do: add one, or ask for another target"
        )
    return figures


def molds_start(wildcards):
    """How responses of the tensor stage become the mixture that EM starts from."""
    if "tensor" not in molds_experiment(wildcards).em_starts:
        return {}
    start = molds_experiment(wildcards).fit.start.plain()
    return {key: start[key] for key in ("regress_anew", "noise")}


def megabytes_of_molds(wildcards):
    """Inputs and outputs of the largest task of a batch."""
    return max(
        8e-6
        * task["trajectories"]
        * task["steps"]
        * (task["n_inputs"] + task["n_outputs"])
        for task in molds_batch(wildcards).tasks
    )


def memory_of_molds(times):
    """Room for a multiple of the largest task's trajectories."""
    return (
        lambda wildcards, attempt: int(1000 + times * megabytes_of_molds(wildcards))
        * attempt
    )


def memory_of_piece(wildcards, attempt):
    """Room for a piece of trajectories, and for the windows that are held at a time."""
    share = 1 / molds_batch(wildcards).pieces
    return int(1200 + 3 * share * megabytes_of_molds(wildcards)) * attempt


def minutes_of_molds(seconds_per_million):
    """Three times what a batch's steps take, of all its trajectories."""

    def estimate(wildcards, attempt):
        steps = sum(
            task["trajectories"] * task["steps"]
            for task in molds_batch(wildcards).tasks
        )
        return max(5, int(5 + 3 * seconds_per_million * steps / 6e7)) * attempt

    return estimate


def minutes_of_em(wildcards, attempt):
    """Three times what all iterations take in numpy: 0.25 us per step and component, and 0.15 ms per step of time."""
    settings = molds_experiment(wildcards)
    fits = settings.random_starts if wildcards.start == "random" else 1
    seconds = sum(
        task["n_components"] * task["steps"] * (2.5e-7 * task["trajectories"] + 1.5e-4)
        for task in molds_batch(wildcards).tasks
    )
    return int(5 + 3 * fits * settings.fit.em.most_iterations * seconds / 60) * attempt
