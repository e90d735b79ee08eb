"""Template tags of the citizen's and the shop's screens."""
