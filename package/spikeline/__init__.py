"""spikeline: from biophysical neurons to sorted, decoded and explained recordings.

Importing this package imports no torch, neuron or spikeinterface; the rooms that need them do.
"""

__version__ = "0.1.0"
