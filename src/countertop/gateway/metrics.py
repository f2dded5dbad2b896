"""What the gateway counts, for Prometheus. Labels have few values, none of which a client made up.

Counting happens in the event loop on the path of every request, so it is a plain addition here; the families are made of the sums
when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from countertop.domain.clock import SECOND
from countertop.domain.delivery import Delivery
from countertop.domain.webhook import Attempt
from countertop.gateway.http.route import Route

_ANSWER_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_ATTEMPT_BOUNDS: Final = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0)


class _Durations:
    """How many durations fell below which bound, and their sum, in seconds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def family(self, name: str, meaning: str) -> HistogramMetricFamily:
        names = [*map(str, self._bounds), "+Inf"]
        return HistogramMetricFamily(name, meaning, list(zip(names, accumulate(self._counts), strict=True)), self._sum)


class Metrics(Collector):
    """The metrics of one node, in a registry of their own, so that several nodes fit into one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        PlatformCollector(registry=self._registry)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._answers: Counter[tuple[Route, str, int]] = Counter()
        self._answer_seconds = _Durations(_ANSWER_BOUNDS)
        self._attempts: Counter[str] = Counter()
        self._attempt_seconds = _Durations(_ATTEMPT_BOUNDS)
        self._registry.register(self)

    def answered(self, route: Route, method: str, status: int, seconds: float) -> None:
        """The API has answered; see `gateway.http.parts.Observe`."""
        self._answers[route, method, status] += 1
        self._answer_seconds.add(seconds)

    def attempted(self, _: Delivery, attempt: Attempt) -> None:
        """A webhook delivery was attempted."""
        verdict = "acknowledged" if attempt.acknowledged else "unanswered" if attempt.status is None else "refused"
        self._attempts[verdict] += 1
        self._attempt_seconds.add(attempt.duration / SECOND)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Adds a gauge whose value is asked for whenever it is read."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The families of what was counted. Called by the registry."""
        answers = CounterMetricFamily("countertop_http_answers", "Answers of the API", labels=["resource", "method", "status"])
        for (route, method, status), count in self._answers.items():
            answers.add_metric([route.path, method, str(status)], count)
        attempts = CounterMetricFamily("countertop_webhook_attempts", "Attempts to deliver a webhook", labels=["verdict"])
        for verdict, count in self._attempts.items():
            attempts.add_metric([verdict], count)
        yield answers
        yield self._answer_seconds.family("countertop_http_answer_seconds", "From a request's head to its answer")
        yield attempts
        yield self._attempt_seconds.family("countertop_webhook_attempt_seconds", "How long an endpoint took to answer")
