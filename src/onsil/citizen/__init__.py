"""People, credentials, wallets, merchants and payments."""
