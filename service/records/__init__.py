"""What is kept of calls and of what clinicians made of them: never who the patient was."""


class DatabaseUnavailable(Exception):
    """The database cannot be used now. Nothing of what was being written is kept."""
