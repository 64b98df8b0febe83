"""Cells -> membrane currents -> recordings. Only this room imports NEURON and LFPy, where a cell is run."""
