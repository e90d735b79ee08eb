"""Multi-asset double entry in lots, decided by a pure posting machine, written by one writer."""
