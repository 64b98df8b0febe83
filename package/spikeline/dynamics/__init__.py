"""MoLDS: mixtures of linear dynamical systems, found by moments first (Tensor-EM).

Trajectories -> moments -> components -> realisations -> EM, all by `fit_molds`. Formulas follow Gong and Saxena
(arXiv 2510.06091) and Rui and Dahleh (L4DC 2025); what neither says is derived where it stands.
"""

from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.selection import select_molds
from spikeline.dynamics.starts.start import StartWarning
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["FittedMolds", "LinearSystem", "Mixture", "StartWarning", "Trajectories", "fit_molds", "select_molds"]
