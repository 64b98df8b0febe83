"""Cell models: where they come from, their channels, their variants, and one of them alive in NEURON."""
