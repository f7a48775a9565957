"""A folder of anybody's JSON files, replayed: what each file is, and what the answer to it shows."""
