"""Where EM starts: realised responses with noise covariances, and what to do where moments cannot be had."""
