"""Data sets: what a city offers of its entities, on which terms, and how well it fits its model."""
