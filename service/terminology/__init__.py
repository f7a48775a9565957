"""Codes and words: recognised, loaded, expanded."""
