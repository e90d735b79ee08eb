"""The currency office: the rules in force, policy money, settlements, and the trust's proof."""
