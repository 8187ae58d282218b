"""The way from nothing to live, in steps that can be left and gone on with at any time."""
