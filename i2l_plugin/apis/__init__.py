"""What the command-line tools and Python users call."""
