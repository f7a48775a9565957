"""The chart in clinical words: orders, doses, patients, terminology. Pure: no I/O, no clock, no FHIR."""
