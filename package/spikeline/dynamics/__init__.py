"""MoLDS: mixtures of linear dynamical systems, found by moments first (Tensor-EM).

So far the tensor stage: trajectories -> moments -> components -> realisations. Formulas follow Gong and Saxena
(arXiv 2510.06091) and Rui and Dahleh (L4DC 2025); what neither says is derived where it stands.
"""
