"""The officials' and verifiers' screens."""
