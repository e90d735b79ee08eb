"""The currency office's screens."""
