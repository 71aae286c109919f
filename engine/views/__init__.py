"""What screens and commands show: queries that change nothing, and say what is new by `rev`."""
