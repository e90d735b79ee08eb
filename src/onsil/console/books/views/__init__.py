"""The accountants' screens."""
