"""Measurements: one module a claim, each against its yardstick in the same run."""
