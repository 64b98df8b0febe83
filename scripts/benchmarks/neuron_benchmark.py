"""Rule neuron_benchmark: one comparison of NEURON at work."""

from spikeline.artifacts import Provenance
from spikeline.config.simulation import BankSettings, IntegrationSettings, StimulusSettings
from spikeline.log import log_to
from spikeline.simulation.benchmarks.bank_over_bare_neuron import write_bank_over_bare_neuron
from spikeline.simulation.benchmarks.lfpy_probes_over_bank import write_lfpy_probes_over_bank
from spikeline.simulation.benchmarks.neuron_runs import neuron_jobs
from spikeline.simulation.benchmarks.resimulate_over_replace import write_resimulate_over_replace

log_to(snakemake.log[0])
params = snakemake.params
jobs = neuron_jobs(
    snakemake.input.rheobase,
    cells=params.cells,
    mechanisms=snakemake.input.mechanisms.removesuffix(".manifest.json"),
    integration=IntegrationSettings.parse(params.integration),
    stimulus=StimulusSettings.parse(params.stimulus),
    bank=BankSettings.parse(params.bank),
    seed=params.seed,
)
provenance = Provenance.of_job(snakemake)
match snakemake.wildcards.benchmark:
    case "bank_over_bare_neuron":
        write_bank_over_bare_neuron(snakemake.output[0], jobs, provenance=provenance)
    case "lfpy_probes_over_bank":
        peer = [params.interpreter, snakemake.input.peer]
        write_lfpy_probes_over_bank(snakemake.output[0], jobs, peer, provenance=provenance)
    case "resimulate_over_replace":
        write_resimulate_over_replace(snakemake.output[0], jobs, provenance=provenance)
