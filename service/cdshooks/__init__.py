"""The CDS Hooks protocol as typed messages: requests, answers, services. No Flask, no medicine."""
