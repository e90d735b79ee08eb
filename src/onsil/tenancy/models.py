"""The room keeps no tables; Django sends `post_migrate` only to rooms that have this module."""
