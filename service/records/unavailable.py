"""The error of a database that cannot be used now; apart, so that nobody needs a database to know it."""


class DatabaseUnavailable(Exception):
    """The database cannot be used now. Nothing of what was being written is kept."""
