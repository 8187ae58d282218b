"""The external systems. One directory and one line here each."""
