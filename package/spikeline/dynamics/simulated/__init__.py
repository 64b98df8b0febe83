"""Mixtures to try methods on: random systems, and trajectories drawn from them."""
