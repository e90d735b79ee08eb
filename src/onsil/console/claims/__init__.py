"""The claims explorer: who holds which quantity, and who asked for it in vain."""
