"""Many members behind one socket: each loopback address is one of them."""

from __future__ import annotations

from rig.backend import Backend, Exchange


class Crowd:
    """A backend that listens on every address; members are `address(n)` with its port."""

    def __init__(self, second: int):
        """`second`: of the loopback /16 whose upper half the members live in."""
        self.second = second
        self.reached: list[tuple[str, float]] = []  #: Address and time of each request.
        self.probed: list[tuple[str, float]] = []  #: The same of each health probe.
        self.backend = Backend("crowd", address="0.0.0.0", mode=self._answer)

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_exc) -> None:
        self.backend.stop()

    @property
    def port(self) -> int:
        return self.backend.port

    def address(self, number: int) -> str:
        return f"127.{self.second}.{200 + number // 250}.{number % 250 + 1}"

    def members(self, count: int, **fields) -> list[dict]:
        """The bodies of so many members."""
        return [{"address": self.address(n), "protocol_port": self.port, **fields}
                for n in range(count)]

    def _answer(self, exchange: Exchange) -> None:
        exchange.read_body()
        address = exchange.connection.socket.getsockname()[0]
        seen = self.probed if exchange.request.is_probe else self.reached
        seen.append((address, exchange.request.at))
        exchange.respond(200, address.encode())
