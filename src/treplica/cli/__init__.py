"""The command line: thin, public names only."""
