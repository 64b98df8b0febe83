"""Expectation maximisation for mixtures of linear systems, and the Kalman smoothers it runs on."""
