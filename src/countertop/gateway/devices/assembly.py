"""The device side, put together."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.routing import BaseRoute, Route, WebSocketRoute

from countertop.gateway.devices import endpoint
from countertop.gateway.devices.connections import Connections
from countertop.gateway.devices.endpoint import ChannelEndpoint
from countertop.gateway.devices.pairing import PairingEndpoints
from countertop.gateway.devices.parts import Parts


@dataclass(frozen=True, slots=True)
class Devices:
    """The routes to mount, and the connections to start and stop with the node."""

    routes: list[BaseRoute]
    connections: Connections


def make_devices(parts: Parts) -> Devices:
    """The channel's endpoint and what serves it; `connections.start()` begins to serve."""
    connections = Connections(parts)
    channel = ChannelEndpoint(parts, connections)
    doors: list[BaseRoute] = [Route(endpoint.PATH, channel), WebSocketRoute(endpoint.PATH, channel)]
    return Devices(doors + PairingEndpoints(parts).routes(), connections)
