"""The lake: months that are over, as Parquet files with a chain of hashed manifests.

The database keeps what is recent and the roll-ups of everything; files keep the points of closed
months, never changed once written. Reading puts both together.
"""
