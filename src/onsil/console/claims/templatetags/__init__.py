"""Tags of the claims' screens."""
