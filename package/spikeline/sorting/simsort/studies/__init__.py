"""What becomes of the sorting if the training is changed: `plan` says what is trained, `scoring` what that is worth."""
