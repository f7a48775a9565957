"""What a FHIR terminology server says of our value sets: asked for, checked, kept."""
