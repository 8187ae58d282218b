"""What is typed in the shell. Each command asks the services that the API asks, and says what came of it in words.

`crossledger --help` is to come at once: what a command needs is imported in it.
"""
