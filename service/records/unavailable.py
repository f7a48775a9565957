"""The error of a database that cannot be used now, alone in a module, so that importing it needs no database."""


class DatabaseUnavailable(Exception):
    """The database cannot be used now. Nothing of what was being written is kept."""
