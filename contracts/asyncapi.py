"""The AsyncAPI 3.0 document of the whole bus."""

from __future__ import annotations

from typing import Any

from contracts.catalogue import PUBLISHERS, events
from contracts.envelope import MAX_SEQUENCE
from contracts.event import Event
from contracts.json_schema import of_shape

HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["cloudEvents_id", "cloudEvents_source", "cloudEvents_type", "cloudEvents_time"],
    "properties": {
        "cloudEvents_specversion": {"type": "string", "const": "1.0"},
        "cloudEvents_id": {"type": "string", "format": "uuid", "description": "The same as AMQP's message_id."},
        "cloudEvents_source": {
            "type": "string",
            "description": "`/leeward/` and the publisher that the exchange is named after.",
            "examples": ["/leeward/intake"],
        },
        "cloudEvents_type": {"type": "string", "description": "The event's name, which is also the routing key."},
        "cloudEvents_subject": {"type": "string", "description": "The identifier of what the event is about."},
        "cloudEvents_time": {"type": "string", "format": "date-time"},
        "cloudEvents_sequence": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_SEQUENCE,
            "description": "Counts the publisher's events about the subject. Deliveries may be in any order.",
        },
        "cloudEvents_dataschema": {"type": "string", "format": "uri"},
        "cloudEvents_traceparent": {"type": "string"},
        "correlationid": {"type": "string", "format": "uuid", "description": "The event that began the story."},
        "causationid": {"type": "string", "format": "uuid", "description": "The event that led to this one."},
    },
}


def document(version: str) -> dict[str, Any]:
    """Channels are the publishers' exchanges; each event is a message of its publisher's channel."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Leeward",
            "version": version,
            "description": "Facts that Leeward's services tell each other and anyone who is allowed to listen.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {f"{publisher}.events": _channel(publisher) for publisher in PUBLISHERS},
        "operations": {f"publish.{event.publisher}.{event.__name__}": _operation(event) for event in events()},
        "components": {
            "schemas": {_name(event): of_shape(event) for event in events()},
            "messages": {_name(event): _message(event) for event in events()},
        },
    }


def _channel(publisher: str) -> dict[str, Any]:
    own = [event for event in events() if event.publisher == publisher]
    return {
        "address": f"{publisher}.events",
        "description": " ".join((PUBLISHERS[publisher].__doc__ or "").split()),
        "messages": {event.__name__: {"$ref": f"#/components/messages/{_name(event)}"} for event in own},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": f"{publisher}.events",
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                    "vhost": "/",
                },
                "bindingVersion": "0.3.0",
            }
        },
    }


def _operation(event: type[Event]) -> dict[str, Any]:
    channel = f"#/channels/{event.publisher}.events"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.__name__}"}],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.__name__,
        "title": event.__name__,
        "contentType": "application/json",
        "headers": HEADERS,
        "payload": {"$ref": f"#/components/schemas/{_name(event)}"},
    }


def _name(event: type[Event]) -> str:
    return f"{event.publisher}.{event.__name__}"
