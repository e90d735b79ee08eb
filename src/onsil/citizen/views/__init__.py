"""The citizen's and the shop's screens; doors without rules."""
