"""Moments of impulse responses from trajectories, as sums that add up over shards."""
