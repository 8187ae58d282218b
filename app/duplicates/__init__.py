"""Records of one side that are one thing: found by what they share, shown to people, and merged only by their word."""
