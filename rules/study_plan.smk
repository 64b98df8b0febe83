# What the studies of SimSort need, for rules/studies.smk: which trainings, which tables, which figures.
STUDY_FIGURES = sorted({study.figure for study in SETTINGS.simsort_studies.values()})
TUNES = bool(SETTINGS.simsort_tuning.labelled_s)
# The settings of the run's SimSort, or the defaults; the weights are those of the studies.
STUDIED_SORTER = (
    SETTINGS.sorting.sorters[SIMSORT] if SIMSORT else SorterSettings(sorter="simsort")
)
STUDIED_SORTER = STUDIED_SORTER.model_copy(
    update={
        "parameters": {
            name: value
            for name, value in STUDIED_SORTER.parameters.items()
            if name not in ("weights", "device", "preset")
        }
    }
).plain()

# New weights in the package tune again.
START_CHECKSUMS = (
    weights_checksums(SorterSettings(sorter="simsort"))
    if SETTINGS.simsort_tuning.start == "shipped"
    else {}
)


@cache
def studies():
    """The parts of all studies, and their trainings; only when asked, so that a run without them needs nothing."""
    try:
        return study_parts(SETTINGS)
    except SpikelineError as error:
        raise WorkflowError(str(error)) from None


@cache
def recordings_to_tune_on():
    try:
        return tuned_recordings(SETTINGS)
    except SpikelineError as error:
        raise WorkflowError(str(error)) from None


def study_folder(wildcards):
    return f"{wildcards.study}/{wildcards.variant}/{wildcards.repeat}"


def training_of_study(wildcards):
    """What a rule of a study trains; a path that no study needs is nobody's."""
    name = f"studies/{study_folder(wildcards)}/{wildcards.network}"
    if name not in studies()[1]:
        raise WorkflowError(f"no study of this run trains {name}")
    return studies()[1][name]


def networks_of_study(network):
    """Where the weights lie that a table of scores is of."""

    def path(wildcards):
        folder = study_folder(wildcards)
        part = next((part for part in studies()[0] if part.scored == folder), None)
        if part is None:
            raise WorkflowError(f"no study of this run has a part {folder}")
        return (
            f"<results>/sorting/simsort/{part.weights[network]}/{network}.safetensors"
        )

    return path


def parts_of_study(wildcards):
    """Each table of a study with what it is of."""
    return [
        {
            "study": part.study,
            "variant": part.variant,
            "repeat": part.repeat,
            "path": f"<results>/tables/simsort_studies/{part.scored}/{recording}.csv",
        }
        for part in studies()[0]
        if part.study == wildcards.study
        for recording in part.recordings
    ]


def in_results(parts):
    """The same with the folder of results spelt out: params are not paths to Snakemake."""
    return [
        part | {"path": part["path"].replace("<results>", f"results/{SETTINGS.run}")}
        for part in parts
    ]


def tables_of_figure(figure):
    """Tables of all studies that a figure shows; without any, an error says what is missing."""

    def paths(wildcards):
        names = [
            name
            for name, study in SETTINGS.simsort_studies.items()
            if study.figure == figure
        ]
        if not names:
            raise WorkflowError(
                f"no study to draw {figure} from: none under simsort_studies has figure: {figure}\n"
                "  expected: a study with its variants; config/quick.yaml has examples\n"
                "  what to do: add one, or ask for another target"
            )
        return expand("<results>/tables/simsort_studies/{study}.csv", study=names)

    return paths


def clusterings_of_run(wildcards):
    """Tables of other clusterings, where the run has a SimSort whose embedding they can be of."""
    names = tetrodes(SETTINGS) if SIMSORT else []
    return expand(
        "<results>/tables/simsort_clusterings/{recording}.csv", recording=names
    )


def amounts_of(figure):
    """What each study of a figure varies."""
    return {
        name: {"amount": study.amount}
        for name, study in SETTINGS.simsort_studies.items()
        if study.figure == figure
    }


def made_for_studies(wildcards):
    """Weights and scores: named although figures need them, because a deleted file is rebuilt only if it is asked for."""
    made = [
        f"<results>/sorting/simsort/{home}.safetensors"
        for home in (studies()[1] if STUDY_FIGURES else {})
    ]
    parts = studies()[0] if STUDY_FIGURES else []
    made += [
        f"<results>/tables/simsort_studies/{part.scored}/{recording}.csv"
        for part in parts
        for recording in part.recordings
    ]
    if TUNES:
        tuned = parts_of_tuning(wildcards)
        made += [part["path"] for part in tuned]
        made += [
            tuned_network(recording, f"{labelled_s:g}", repeat, network)
            for recording in recordings_to_tune_on()
            for labelled_s in SETTINGS.simsort_tuning.labelled_s
            for repeat in range(SETTINGS.simsort_tuning.repeats)
            for network in ("detector", "identifier")
            if labelled_s
        ]
    return list(dict.fromkeys(made))


def figures_of_studies(wildcards):
    names = [*STUDY_FIGURES, *(["fine_tuning"] if TUNES else [])]
    if not names:
        raise WorkflowError(
            "no study of SimSort: simsort_studies and simsort_tuning.labelled_s are empty\n"
            "  expected: a study; config/quick.yaml has examples\n"
            "  what to do: add one, or ask for another target"
        )
    return expand("<results>/figures/{figure}.png", figure=names)


def start_of_tuning(network):
    """Weights that a tuning begins with, if the run makes them; those that come along are no job's output."""
    if SETTINGS.simsort_tuning.start == "trained":
        return f"<results>/sorting/simsort/weights/{network}.safetensors"
    return []


def tuned_network(recording, labelled, repeat, network):
    return f"<results>/sorting/simsort/tuned/{recording}/{labelled}/{repeat}/{network}.safetensors"


def networks_of_tuning(network):
    """Where the weights lie that a table of a tuning is of."""
    return lambda wildcards: (
        start_of_tuning(network)
        if float(wildcards.labelled) == 0
        else tuned_network(
            wildcards.recording, wildcards.labelled, wildcards.repeat, network
        )
    )


def parts_of_tuning(wildcards):
    """Each table of tunings with what it is of; networks that were not tuned are the same in all repeats."""
    if not TUNES:
        raise WorkflowError(
            "nothing to draw fine_tuning from: simsort_tuning.labelled_s is empty\n"
            "  expected: seconds of labelled recording, e.g. [0, 5, 15]\n"
            "  what to do: set it, or ask for another target"
        )
    tuning = SETTINGS.simsort_tuning
    return [
        {
            "labelled_s": labelled_s,
            "repeat": repeat,
            "path": f"<results>/tables/simsort_tuning/{recording}/{labelled_s:g}/{repeat}.csv",
        }
        for recording in recordings_to_tune_on()
        for labelled_s in tuning.labelled_s
        for repeat in range(tuning.repeats if labelled_s else 1)
    ]
