"""A whole cluster for tests of what several nodes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from countertop.testing.cluster import Cluster, run_cluster
from countertop.testing.nats import NatsMissing
from countertop.testing.postgres import PostgresMissing


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Two nodes. A test that takes something away brings it back; a test that leaves a request open has a terminal to itself."""
    try:
        with run_cluster(nodes=2, terminals=5) as running:
            yield running
    except (PostgresMissing, NatsMissing) as missing:
        pytest.skip(f"no cluster: {missing}")
