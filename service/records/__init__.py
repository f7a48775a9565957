"""What is kept of calls and of what clinicians made of them: never who the patient was."""
