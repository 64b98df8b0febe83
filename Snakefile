# Entry point: the configuration, the stages, the default target.
#
#   snakemake -j2                                    the quick tier
#   snakemake -j2 --configfile config/standard.yaml  another tier, or your own file
#   snakemake --workflow-profile workflow/profiles/slurm --configfile config/paper.yaml
from snakemake.utils import min_version

min_version("9.19")

# A tier is a whole configuration: loading quick first would mix its recordings into every other tier.
if "simulation" not in config:

    configfile: "config/quick.yaml"


include: "rules/common.smk"
include: "rules/cluster.smk"
include: "rules/simulation.smk"
include: "rules/recordings.smk"
include: "rules/simsort.smk"
include: "rules/sorting_peers.smk"
include: "rules/sorting.smk"
include: "rules/evaluation.smk"
include: "rules/dynamics.smk"
include: "rules/dynamics_neural.smk"
include: "rules/figures.smk"
include: "rules/studies.smk"
include: "rules/run.smk"
include: "rules/benchmarks.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        # Named here although figures need them: Snakemake rebuilds a deleted file only if it is asked for.
        rules.bank.input,
        rules.recordings.input,
        rules.simsort_weights.input if TRAINS_SIMSORT["default"] else [],
        rules.simsort_paper_weights.input if TRAINS_SIMSORT["paper"] else [],
        rules.sortings.input,
        expand(
            "<results>/sorting/real/{dataset}/scores.csv",
            dataset=KNOWN_REAL_RECORDINGS,
        ),
        molds_made(),
        rules.config.output,
        rules.figures.input,
        rules.summary.output,
