"""Fixtures for pytest, which finds them through the package's entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

import pytest

# pytest loads this module wherever the package is installed, so imports are
# deferred to the fixtures.
if TYPE_CHECKING:
    from .client import Client
    from .testing import LocalEndpoint


@pytest.fixture(scope="session")
def osslive_endpoint() -> Iterator[LocalEndpoint]:
    """A local endpoint on a free port, for the whole session."""
    from .testing import LocalEndpoint

    with LocalEndpoint() as endpoint:
        yield endpoint


@pytest.fixture
def osslive_client(osslive_endpoint: LocalEndpoint) -> Iterator[Client]:
    """A client for the local endpoint."""
    with osslive_endpoint.client() as client:
        yield client
