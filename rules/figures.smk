# Tables in, pictures out. One rule per figure; the rule, its script, its function and its picture share one name.
# The rules stand in figures/, one file per part of the run; here is what a run draws, and the targets.
SIMSORT_FIGURES = [
    "<results>/figures/sorting_table.png",
    "<results>/figures/detection.png",
    "<results>/figures/identification.png",
    *expand("<results>/figures/detection_excerpt/{data}.png", data=DETECTED),
    *expand("<results>/figures/embedding/{data}.png", data=IDENTIFIED),
]
FIGURES = [
    "<results>/figures/cells.png",
    "<results>/figures/traces.png",
    "<results>/figures/bank_rank.png",
    *expand(
        "<results>/figures/recording_excerpt/{recording}.png",
        recording=SETTINGS.recordings,
    ),
    *(["<results>/figures/accuracy.png"] if SORTED_RECORDINGS else []),
    *(
        expand(
            "<results>/figures/real_recording/{dataset}.png", dataset=REAL_RECORDINGS
        )
    ),
    *(SIMSORT_FIGURES if DRAWS_SIMSORT else []),
    *MOLDS_FIGURES,
    *MOLDS_NEURAL_FIGURES,
]


include: "figures/simulation.smk"
include: "figures/recordings.smk"
include: "figures/sorting.smk"
include: "figures/simsort.smk"
include: "figures/dynamics.smk"


rule figures:
    """Every figure of the run."""
    input:
        RESOLVED_CONFIG,
        FIGURES,


rule recording_excerpts:
    """The figure recording_excerpt of every recording."""
    input:
        RESOLVED_CONFIG,
        expand(
            "<results>/figures/recording_excerpt/{recording}.png",
            recording=SETTINGS.recordings,
        ),


rule real_recordings:
    """The figure real_recording of every real recording of the run; needs data_root."""
    input:
        RESOLVED_CONFIG,
        real_recording_figures,


rule simsort:
    """Every figure of SimSort."""
    input:
        RESOLVED_CONFIG,
        SIMSORT_FIGURES,
