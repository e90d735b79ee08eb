"""The verifier's evidence room: runs, their inputs and digests, samples, findings, the log."""
