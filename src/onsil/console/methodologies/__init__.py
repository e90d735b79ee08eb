"""The methodologies' screens: which there are, and all that one of them says of itself."""
