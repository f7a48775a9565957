"""The command ``tolami``."""
