"""Traces in the W3C format, through OpenTelemetry; off, and not even loaded, unless an exporter is set.

`OTEL_EXPORTER_OTLP_ENDPOINT` sends them to a collector, `OTEL_TRACES_EXPORTER=console` writes them to standard output.
Spans hold identifiers and names of events, and nothing else. While tracing is off, a message's trace context is passed
on unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contracts.envelope import Envelope

CONSOLE, OTLP = "console", "otlp"

_tracer: Any = None


class UnknownExporter(Exception):
    """OTEL_TRACES_EXPORTER names an exporter that doesn't exist."""


def configure(service: str) -> None:
    """Turns tracing on if the environment asks for it. Raises UnknownExporter."""
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    wanted = os.environ.get("OTEL_TRACES_EXPORTER") or (OTLP if endpoint else "none")
    if wanted == "none":
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(_exporter(wanted)))
    global _tracer
    _tracer = provider.get_tracer("leeward")


def are_on() -> bool:
    return _tracer is not None


@contextmanager
def publishing(event: str) -> Iterator[str | None]:
    """A span around a front-end's publishing, the first of its trace; yields the trace context to publish with it."""
    if _tracer is None:
        yield None
        return
    with _span(f"publish {event}", None, {"messaging.operation.type": "publish"}) as context:
        yield context


@contextmanager
def handling(envelope: Envelope) -> Iterator[Envelope]:
    """A span around the handling of a message; yields the envelope from which emitted events take their trace
    context."""
    if _tracer is None:
        yield envelope
        return
    attributes = {
        "messaging.operation.type": "process",
        "messaging.message.id": str(envelope.id),
        "messaging.message.conversation_id": envelope.correlation_id or "",
    }
    with _span(f"process {envelope.type}", envelope.traceparent, attributes) as context:
        yield envelope._replace(traceparent=context)


@contextmanager
def _span(name: str, parent: str | None, attributes: dict[str, str]) -> Iterator[str | None]:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    carrier: dict[str, str] = {}
    given = propagator.extract({"traceparent": parent} if parent else {})
    # An error's message may contain what somebody wrote, so exceptions are not recorded.
    with _tracer.start_as_current_span(
        name,
        given,
        attributes={"messaging.system": "rabbitmq", **attributes},
        record_exception=False,
        set_status_on_exception=False,
    ):
        propagator.inject(carrier)
        yield carrier.get("traceparent")


def _exporter(wanted: str) -> Any:
    if wanted == CONSOLE:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\n")
    if wanted == OTLP:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    raise UnknownExporter(f"OTEL_TRACES_EXPORTER is {wanted!r}; it can be {OTLP}, {CONSOLE} or none")
