"""From a dosage to a daily dose in mg, with its working."""
