"""What a worker of xdist has to do so that slipcover traces all of the service.

CPython 3.11 raises SystemError where two threads build syntax trees at once, and slipcover builds one of each module
that it traces. So all modules are imported before any test starts a thread, and Alembic is given the migrations that
are imported already: those that it loads by their files itself would not be traced.
"""

import importlib
import pkgutil
import sys
from os import PathLike
from types import ModuleType

from alembic.util import pyfiles
from slipcover import pytest_plugin

import service

ENVIRONMENT = "service.records.migrations.env"
"""Runs the migrations when it is imported: only Alembic does that."""


def trace_everything() -> None:
    """Imports all of the service, traced. Probes stay where they are: looking for them costs more than they do."""
    if (tracer := pytest_plugin._slipcover_instance) is not None:
        tracer.d_miss_threshold = sys.maxsize
    names = [module.name for module in pkgutil.walk_packages(service.__path__, "service.")]
    modules = [importlib.import_module(name) for name in names if name != ENVIRONMENT]
    imported = {module.__file__: module for module in modules}
    load = pyfiles.load_module_py

    def traced(module_id: str, path: str | PathLike[str]) -> ModuleType:
        return imported.get(str(path)) or load(module_id, path)

    pyfiles.load_module_py = traced
