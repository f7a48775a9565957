"""The CDS Hooks checklist of ``docs/conformance.md``, black-box: a served process, called over HTTP."""
