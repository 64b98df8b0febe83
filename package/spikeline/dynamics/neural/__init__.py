"""From recorded sessions to trajectories, and what mixtures of linear systems say of them."""
