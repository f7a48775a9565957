"""One module for each step, named after its number and what it does."""
