"""The factor library: what is in force and on whose word, and bringing in more by two people."""
