"""The public's screens, one module a subject."""
