"""What the gateway counts, for Prometheus. Labels have few values, none of which came from a client."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector


class Metrics:
    """The metrics of one node, in a registry of their own, so that several nodes fit into one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        PlatformCollector(registry=self.registry)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.answers = Counter(
            "countertop_http_answers",
            "Answers of the API",
            ["resource", "method", "status"],
            registry=self.registry,
        )
        self.answer_seconds = Histogram(
            "countertop_http_answer_seconds",
            "From a request's head to its answer",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=self.registry,
        )
        self.requests_ended = Counter(
            "countertop_requests_ended",
            "Smart Terminal requests that ended at a terminal of this node",
            ["outcome"],
            registry=self.registry,
        )
        self.attempts = Counter(
            "countertop_webhook_attempts",
            "Attempts to deliver a webhook",
            ["verdict"],  # delivered | refused | failed
            registry=self.registry,
        )
        self.attempt_seconds = Histogram(
            "countertop_webhook_attempt_seconds",
            "How long an endpoint took",
            buckets=(0.005, 0.025, 0.1, 0.5, 1, 5, 15),
            registry=self.registry,
        )

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Adds a gauge whose value is asked for whenever it is read."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format, version 0.0.4."""
        return generate_latest(self.registry)
