"""What the tests of the chart share: the terminology of the repository."""

import pytest

from cards.library import Library
from service.clinical.terminology import Terminology


@pytest.fixture(scope="session")
def terminology(library: Library) -> Terminology:
    """The terminology as it is in the repository."""
    return library.terminology.terminology
