"""`python -m onsil.cli …` is `onsil …`."""

from onsil.cli import main

main()
