"""One way to ask over HTTP/1.1, HTTPS and HTTP/2, for cases that hold for all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Iterable

from rig import http1
from rig.api import Api, Service
from rig.clients import RawClient
from rig.h2client import H2Client

FRONTS = ("http", "https", "h2")
PORTS = {"http": 8080, "https": 8443, "h2": 9443}
Fields = Iterable[tuple[str, str]]


@dataclass
class Reply:
    status: int
    fields: list[tuple[str, str]]
    body: bytes
    complete: bool = True

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name]

    def get(self, name: str) -> str | None:
        return next(iter(self.get_all(name)), None)

    def json(self):
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return "close" in (self.get("connection") or "").lower()


@dataclass
class Asker:
    """A client that keeps its connection while the other side does. One thread."""

    service: Service
    front: str
    source: str | None = None
    ahead: bytes = b""  #: Sent before everything on the connection.
    client: RawClient | H2Client | None = None

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def close(self) -> None:
        if self.client is not None:
            (self.client.raw if self.front == "h2" else self.client).close()
        self.client = None

    def connect(self) -> "Asker":
        if self.client is None and self.front == "h2":
            self.client = H2Client(self.service.address, self.service.port, source=self.source,
                                   ahead=self.ahead)
        elif self.client is None:
            self.client = self.service.client(source=self.source, ahead=self.ahead)
        return self

    def start(self, target: str = "/", *, method: str = "GET", host: str = "a.test",
              fields: Fields = (), body: bytes | None = None) -> int | None:
        """Sends a request; `finish` reads its answer. HTTP/2 may have many under way."""
        self.connect()
        if self.front == "h2":
            lower = [(name.lower(), value) for name, value in fields]
            return self.client.send_request(target, method=method, authority=host, fields=lower,
                                            body=body)
        self.client.send(http1.request(target, method, host, list(fields), body))
        return None

    def finish(self, stream: int | None, method: str = "GET") -> Reply:
        if stream is not None:
            done = self.client.wait_for(stream)
            return Reply(done.status or 0, list(done.fields), done.body, done.ended)
        answer = self.client.read_response(method)
        reply = Reply(answer.status, answer.head.fields, answer.body, answer.complete)
        if not answer.keeps:
            self.close()
        return reply

    def ask(self, target: str = "/", *, method: str = "GET", **more) -> Reply:
        return self.finish(self.start(target, method=method, **more), method)


def ask(service: Service, front: str, target: str = "/", **more) -> Reply:
    """One request on a connection of its own."""
    with Asker(service, front) as asker:
        return asker.ask(target, **more)


def make_front(api: Api, lb: dict, members, front: str, certificate: dict, **more) -> Service:
    """A service behind this kind of listener; each kind has a port of its own."""
    more.setdefault("port", PORTS[front])
    if front != "http":
        more["certificate"] = certificate
    if front == "h2":
        more["http2_enable"] = True
    return api.make_service(lb, members, **more)


@dataclass
class Jar:
    """The cookies of one client, without their attributes."""

    cookies: dict[str, str] = field(default_factory=dict)

    def take(self, reply: Reply) -> list[str]:
        """Stores what the answer sets; returns the raw fields."""
        raw = reply.get_all("set-cookie")
        for line in raw:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return raw

    def fields(self) -> list[tuple[str, str]]:
        text = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return [("Cookie", text)] if text else []


def ask_with(asker: Asker, jar: Jar, target: str = "/", **more) -> Reply:
    """One request with the jar's cookies, which the answer may change."""
    reply = asker.ask(target, fields=[*jar.fields(), *more.pop("fields", [])], **more)
    jar.take(reply)
    return reply
