# What the fits to neural sessions need, for rules/dynamics_neural.smk: which sessions there are, and what each job reads.
from snakemake.logging import logger

from spikeline.data.datasets import datasets_found
from spikeline.data.layouts import SESSION_READERS
from spikeline.dynamics.neural.simulated_session import N_SYSTEMS
from spikeline.dynamics.neural.size_batches import size_batches

# Published numbers of components: the third-party digest of Gong and Saxena's publication (docs/molds.md).
PUBLISHED_COMPONENTS = {
    "area2_bump_nwb": (3, "Gong and Saxena, area 2"),
    "pmd1_mat": (4, "Gong and Saxena, PMd"),
}
# Settings of a session that shape its trajectories; the others are read by later jobs.
TRAJECTORY_KEYS = (
    "dataset",
    "only",
    "align",
    "window_ms",
    "bin_ms",
    "smoothing_ms",
    "principal_components",
    "input",
    "delays_ms",
    "delay_components",
    "delay_states",
    "fewest_bins",
)


def neural_sessions():
    """Name -> entry of the data-set table, or None for a simulated session; those that are not there are left out."""
    wanted = {
        name: session.dataset
        for name, session in SETTINGS.molds.neural.sessions.items()
    }
    named = [dataset for dataset in wanted.values() if dataset is not None]
    try:
        found, missing = (
            datasets_found(
                named, SETTINGS.data_root, read_dataset_table(DATASETS), SESSION_READERS
            )
            if named
            else ({}, [])
        )
    except SpikelineError as error:
        raise WorkflowError(str(error)) from None
    if missing:
        logger.warning(
            f"left out of molds.neural.sessions, as they are not below data_root: {', '.join(missing)}"
        )
    return {
        name: found.get(dataset)
        for name, dataset in wanted.items()
        if dataset is None or dataset in found
    }


NEURAL_SESSIONS = neural_sessions()


def session_of(wildcards):
    """Settings of a session that this run has; a path of another one is nobody's."""
    if wildcards.session not in NEURAL_SESSIONS:
        raise WorkflowError(
            f"no session {wildcards.session!r} in this run\n"
            f"  expected: one of {', '.join(NEURAL_SESSIONS) or 'none'}\n"
            "  what to do: name it under molds.neural.sessions; one of a data set needs data_root and its file"
        )
    return SETTINGS.molds.neural.sessions[wildcards.session]


def keys_of_session(*keys):
    """Some settings of the session, so that a job is not rerun for others."""

    def chosen(wildcards):
        plain = session_of(wildcards).plain()
        return {key: plain[key] for key in keys}

    return chosen


def shared_keys(*keys):
    """Some settings that all sessions have in common, fit as this session has it."""

    def chosen(wildcards):
        session_of(wildcards)
        plain = SETTINGS.molds.neural.shared_with(wildcards.session).plain()
        del plain["fit"]["em"][
            "checkpoint_minutes"
        ]  # these fits are short, and keep none
        return {key: plain[key] for key in keys}

    return chosen


def dataset_of_session(wildcards):
    """What a data set's session depends on; its checksum stands for the file."""
    session_of(wildcards)
    entry = NEURAL_SESSIONS[wildcards.session]
    return entry.session_keys() if entry else {}


def batches_of(session):
    """Sizes that each job of a session fits."""
    neural = SETTINGS.molds.neural
    return size_batches(neural.sessions[session], neural.fits_per_job)


def sizes_of_batch(wildcards):
    session_of(wildcards)
    batches = batches_of(wildcards.session)
    if int(wildcards.fits) >= len(batches):
        raise WorkflowError(
            f"session {wildcards.session} has {len(batches)} batches of sizes, and {wildcards.fits} is none of them"
        )
    return batches[int(wildcards.fits)]


def sizes_of_session(wildcards):
    session_of(wildcards)
    return expand(
        "<results>/tables/molds_neural/{session}/sizes/{fits}.csv",
        session=wildcards.session,
        fits=range(len(batches_of(wildcards.session))),
    )


def is_simulated(wildcards):
    return session_of(wildcards).dataset is None


def true_components(wildcards):
    """Of a simulated session."""
    return N_SYSTEMS if is_simulated(wildcards) else None


def published_components(wildcards):
    """Of the data sets that the publication used, and of no other."""
    session_of(wildcards)
    entry = NEURAL_SESSIONS[wildcards.session]
    return PUBLISHED_COMPONENTS.get(entry.reader) if entry else None
