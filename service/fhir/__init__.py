"""Reads FHIR of any version tolerantly into the chart, and edits an order for a suggestion."""
