import os

if "SLIPCOVER_COVERAGE_DIR" in os.environ:
    from tests.tracing import trace_everything

    trace_everything()
