"""Joins a Python Lambda function to module-mgmt: warm pings, the module gate and the counting of usage.

Standard library only, one file, Python 3.9 or newer. The three decorators belong in this order::

    warm = Warm(on_ping=gate.refresh)

    @warm
    @gate
    @usage
    def handler(event, context): ...

Events are those of API Gateway HTTP APIs with payload 2.0. Who asks is read from what the gateway's authorizer says, by
the same rules as in the control plane itself: from flat scalars only, and never from headers, query or body.
"""

from __future__ import annotations

import dataclasses
import functools
import http.client
import inspect
import io
import ipaddress
import json
import logging
import math
import os
import re
import socket
import ssl
import threading
import time
import unicodedata
import uuid
from collections import OrderedDict
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from datetime import datetime, timezone
from typing import AbstractSet, Any, Callable, Protocol
from urllib.parse import quote, urlsplit

__all__ = [
    "EVERY_PERMISSION", "Caller", "ClaimNames", "CredentialRefused", "Gate", "GateLimits", "HttpSource", "Moment",
    "NotAnHttpEvent", "ReadFailed", "StateSource", "Usage", "Warm", "uuid7",
]  # fmt: skip

Event = Any
Answer = dict[str, Any]
Handler = Callable[[Any, Any], Any]

_log = logging.getLogger("module_mgmt")
# As near to the start of the process as this file can tell.
_STARTED = time.monotonic()


# ------------------------------------------------------------------------------------------------------------- who asks

_MAX_ID_LENGTH = 200
# Python's own idea of white space is wider than the control plane's.
_WHITE_SPACE = re.compile("[ \t\n\f\r]+")


class _EveryPermission(AbstractSet[str]):
    """What a platform admin holds."""

    def __contains__(self, permission: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


EVERY_PERMISSION: AbstractSet[str] = _EveryPermission()


@dataclasses.dataclass(frozen=True)
class ClaimNames:
    """How the identity provider calls the claims."""

    user: str = "sub"
    organisation: str = "org_id"
    platform_admin: str = "is_platform_admin"
    organisation_admin: str = "is_org_admin"
    permissions: str = "permissions"


@dataclasses.dataclass(frozen=True)
class Caller:
    """A person or program with an identity."""

    user_id: str
    org_id: str
    is_platform_admin: bool
    is_org_admin: bool
    permissions: AbstractSet[str]

    @property
    def held_permissions(self) -> AbstractSet[str]:
        """What the caller holds where a module requires permissions."""
        return EVERY_PERMISSION if self.is_platform_admin else self.permissions

    @staticmethod
    def from_authorizer(authorizer: object, names: ClaimNames = ClaimNames()) -> Caller | None:
        """Reads ``requestContext.authorizer``. ``None`` is a caller without identity: absent or odd ids, the roles
        ``anon`` and ``service_role``, and anonymous sign-ins.
        """
        if not isinstance(authorizer, dict):
            return None
        claims = authorizer.get("lambda")
        if not isinstance(claims, dict):
            jwt = authorizer.get("jwt")
            claims = jwt.get("claims") if isinstance(jwt, dict) else None
        if not isinstance(claims, dict):
            return None
        if _is_true(claims, "is_anonymous") or _flat(claims, "role") in ("anon", "service_role"):
            return None
        user_id, org_id = _id(claims, names.user), _id(claims, names.organisation)
        if user_id is None or org_id is None:
            return None
        permissions = _WHITE_SPACE.split(_flat(claims, names.permissions) or "")
        return Caller(
            user_id=user_id,
            org_id=org_id,
            is_platform_admin=_is_true(claims, names.platform_admin),
            is_org_admin=_is_true(claims, names.organisation_admin),
            permissions=frozenset(permission for permission in permissions if permission),
        )


def _flat(claims: Mapping[str, Any], name: str) -> str | None:
    """A string claim that is no flattened array (``[a b]``) or object (``map[k:v]``): those grant nothing."""
    value = claims.get(name)
    return value if isinstance(value, str) and not value.startswith(("[", "map[")) else None


def _id(claims: Mapping[str, Any], name: str) -> str | None:
    text = _flat(claims, name)
    if text is None or not text.strip() or len(text) > _MAX_ID_LENGTH:
        return None
    # Control characters, and halves of characters that no JSON of the gateway's can hold.
    return None if any(unicodedata.category(character) in ("Cc", "Cs") for character in text) else text


def _is_true(claims: Mapping[str, Any], name: str) -> bool:
    value = claims.get(name)
    return value is True or (isinstance(value, str) and value == "true")


# --------------------------------------------------------------------------------------------------- events and answers


class NotAnHttpEvent(ValueError):
    """The event is none of an HTTP API with payload 2.0. It is an error rather than a refusal, because a queue would
    take a refusal for success and delete its messages; such handlers call :meth:`Gate.check`.
    """


@dataclasses.dataclass(frozen=True)
class _Request:
    method: str
    path: str
    """Without the stage: a named stage is part of rawPath, ``$default`` is not."""
    route: str
    """The path as the route declares it, where the gateway says so: without ids, so that uses of one route count
    together.
    """
    request_id: str
    authorization: str | None
    caller: Caller | None


def _read_request(event: Event, context: Any, names: ClaimNames) -> _Request:
    try:
        described = event["requestContext"]
        path, method, stage = event["rawPath"], described["http"]["method"], described.get("stage")
        headers = event.get("headers") or {}
        # The gateway writes names in lower case; local ones do not always.
        authorization = next((headers[name] for name in headers if name.lower() == "authorization"), None)
        authorizer, route_key = described.get("authorizer"), described.get("routeKey")
    except (AttributeError, KeyError, TypeError):
        raise NotAnHttpEvent("the event is none of an HTTP API with payload 2.0") from None
    if not isinstance(path, str) or not isinstance(method, str):
        raise NotAnHttpEvent("the event's path or method is no text")
    if isinstance(stage, str) and stage != "$default" and (path + "/").startswith(f"/{stage}/"):
        path = path[len(stage) + 1 :] or "/"
    _, _, route = route_key.partition(" ") if isinstance(route_key, str) else ("", "", "")
    request_id = described.get("requestId") or getattr(context, "aws_request_id", "")
    return _Request(
        method=method,
        path=path,
        route=route if route.startswith("/") else path,
        request_id=request_id if isinstance(request_id, str) else "",
        authorization=authorization if isinstance(authorization, str) else None,
        caller=Caller.from_authorizer(authorizer, names),
    )


def _problem(
    status: int, code: str, title: str, detail: str, request: _Request, members: Mapping[str, str] | None = None
) -> Answer:
    """An RFC 9457 document, as the control plane's own functions answer it."""
    body = {
        "type": "urn:module-mgmt:problem:" + code.replace("_", "-"),
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "requestId": request.request_id,
        **(members or {}),
    }
    headers = {"content-type": "application/problem+json", "cache-control": "no-store"}
    if _is_header_text(request.request_id):
        headers["x-request-id"] = request.request_id
    return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}


def _unauthenticated(request: _Request) -> Answer:
    answer = _problem(401, "unauthenticated", "Sign in first", "the caller is not known", request)
    answer["headers"]["www-authenticate"] = "Bearer"
    return answer


def _is_header_text(text: str) -> bool:
    return all(" " <= character <= "~" for character in text)


def _as_async(handler: Handler, decorated: Handler) -> Handler:
    """What is awaited without the decorator is awaited with it, whether the handler answers or not."""
    if not inspect.iscoroutinefunction(handler):
        return decorated

    @functools.wraps(handler)
    async def decorated_async(event: Event, context: Any) -> Any:
        answer = decorated(event, context)
        return await answer if inspect.isawaitable(answer) else answer

    return decorated_async


# ------------------------------------------------------------------------------------------------------ HTTP to the API

# No registry is larger; whatever sends more is not our API.
_MAX_BODY_BYTES = 1024 * 1024


class ReadFailed(Exception):
    """The control plane gave no usable answer. The text holds neither credentials nor what was answered."""


class CredentialRefused(ReadFailed):
    """The control plane does not accept the credential, or there is none."""


class _TimedSocket(io.RawIOBase):
    """A connected socket as http.client uses it, every step of which ends by one moment. Nothing else limits an answer
    that comes byte by byte, and a thread that reads here has to end.
    """

    def __init__(self, sock: socket.socket, ends: float) -> None:
        super().__init__()
        self._sock, self._ends = sock, ends

    def _limited(self) -> socket.socket:
        self._sock.settimeout(_left(self._ends))
        return self._sock

    def sendall(self, data: bytes) -> None:
        self._limited().sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._limited().recv_into(buffer)

    def close(self) -> None:
        """http.client closes what it has not read yet. Whoever connects closes the socket itself."""


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("there was no answer in time")
    return left


class _Api:
    """The control plane's API. Each request has its own connection, as kept ones do not survive a frozen sandbox.
    Redirects are not followed, so that credentials go to this host only, and proxies of the environment are not asked.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError(f"{url!r} cannot be parsed") from None
        if not host or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{url!r} must be a scheme, a host and a path")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
            raise ValueError(f"{url!r} must begin with https://, as only this machine may be reached without TLS")
        self._is_https, self._host, self._port = parts.scheme == "https", host, port
        # Both spellings of the address are in use: with the routes' common prefix and without it.
        self._path = parts.path.rstrip("/").removesuffix("/platform")
        self._tls: ssl.SSLContext | None = None

    def request(
        self, method: str, path: str, headers: Mapping[str, str], timeout: float, body: bytes | None = None
    ) -> tuple[int, bytes]:
        """Status and body. :class:`ReadFailed` when there is no answer after so many seconds, the look-up of the host
        left out: nothing can end that one.
        """
        if not all(_is_header_text(value) for value in headers.values()):
            # Said here, because http.client's own words would quote the value.
            raise CredentialRefused("the credential is not printable text")
        try:
            return self._exchange(method, self._path + path, headers, time.monotonic() + timeout, body)
        except (OSError, http.client.HTTPException) as error:
            raise ReadFailed(f"no answer: {type(error).__name__}: {error}") from None

    def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], ends: float, body: bytes | None
    ) -> tuple[int, bytes]:
        connection, sock = self._connection(), self._connect(ends)
        with sock:
            connection.sock = _TimedSocket(sock, ends)  # type: ignore[assignment]
            connection.request(method, path, body, {**headers, "accept": "application/json", "connection": "close"})
            with connection.getresponse() as response:
                status, content = response.status, response.read(_MAX_BODY_BYTES + 1)
        if len(content) > _MAX_BODY_BYTES:
            raise ReadFailed("the answer is too large")
        return status, content

    def _connection(self) -> http.client.HTTPConnection:
        if not self._is_https:
            return http.client.HTTPConnection(self._host, self._port)
        return http.client.HTTPSConnection(self._host, self._port, context=self._trusted())

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            # Reading the trusted roots takes milliseconds: once, and not before it is needed.
            self._tls = ssl.create_default_context()
        return self._tls

    def _connect(self, ends: float) -> socket.socket:
        port = self._port or (443 if self._is_https else 80)
        found = socket.getaddrinfo(self._host, port, type=socket.SOCK_STREAM)
        for others, (family, kind, protocol, _, address) in zip(reversed(range(len(found))), found):
            try:
                # One address that does not answer leaves time for the others.
                return self._connect_to(family, kind, protocol, address, _left(ends) / (others + 1), ends)
            except OSError:
                if others == 0:
                    raise
        raise OSError("the host has no address")

    def _connect_to(
        self, family: int, kind: int, protocol: int, address: Any, seconds: float, ends: float
    ) -> socket.socket:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(seconds)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._is_https:
                return sock
            sock.settimeout(_left(ends))
            return self._trusted().wrap_socket(sock, server_hostname=self._host)
        except BaseException:
            sock.close()
            raise


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# -------------------------------------------------------------------------------------- what does not answer in time

# How long a request waits for something that it can do without.
_PATIENCE_SECONDS = 0.15
# The first pause after a failure. Each further one is twice as long, up to the longest.
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


@dataclasses.dataclass(frozen=True)
class Moment:
    """One moment on both clocks. The steady clock may stand still while a sandbox is frozen, and the wall clock may be
    set back; the time that has passed is therefore the larger of the two differences.
    """

    wall: float
    steady: float

    @staticmethod
    def now() -> Moment:
        return Moment(time.time(), time.monotonic())

    def since(self, earlier: Moment) -> float:
        return max(self.wall - earlier.wall, self.steady - earlier.steady)

    def after(self, seconds: float) -> Moment:
        return Moment(self.wall + seconds, self.steady + seconds)


class _BackOff:
    """The failures since the last success, and the pause after the last one."""

    def __init__(self) -> None:
        self.failures = 0
        self._paused: tuple[Moment, float] | None = None

    def fail(self, at: Moment, first: float) -> None:
        doubled = first * 2 ** min(self.failures, 16)
        self.failures += 1
        self._paused = at, max(first, min(doubled, _LONGEST_PAUSE_SECONDS))

    def pause(self, at: Moment, seconds: float) -> None:
        """After something that says nothing about the other end."""
        self._paused = at, seconds

    def end(self) -> None:
        self.failures, self._paused = 0, None

    def is_paused(self, now: Moment, longest: float = math.inf) -> bool:
        """``longest`` is for those who do not accept a longer pause."""
        return self._paused is not None and now.since(self._paused[0]) < min(self._paused[1], longest)


# ------------------------------------------------------------------------------------------------------------- the gate

_REASONS = {
    "platform_off": "the platform has switched it off",
    "not_installed": "it is not installed",
    "dependency_off": "a module that it needs is off",
    "org_off": "your organisation has switched it off",
    "permission_missing": "you lack a permission that it requires",
    "state_unknown": "whether it is on cannot be read at the moment",
    "unknown": "it is off for a reason that this function does not know",
}
# What the state can say; the others are found here.
_SENT_REASONS = frozenset(_REASONS) - {"permission_missing", "state_unknown", "unknown"}
_LONGEST_AGE_SECONDS = 30.0
_REFRESHED_AT_ONCE = 8
# So many reads run at the same time that no request waits for, however many organisations there are.
_UNAWAITED_AT_ONCE = 8


class StateSource(Protocol):
    """Where a gate reads the state of an organisation's modules."""

    def read(self, org_id: str, authorization: str | None, known_version: str | None) -> Mapping[str, Any] | None:
        """The state as ``GET /platform/modules/state`` sends it, or ``None`` while ``known_version`` is the current
        one.

        ``authorization`` is the header of a caller of this organisation, where one is known. Raises
        :class:`ReadFailed`.
        """


class HttpSource:
    """Reads ``GET {url}/platform/modules/state``, revalidated by its entity tag.

    By default with the ``authorization`` of the request that asks. With ``token``, a function that returns the header's
    value for a platform admin, the organisation is named in the query instead: for functions without callers of their
    own.
    """

    def __init__(self, url: str, *, token: Callable[[], str] | None = None, timeout: float = 2.0) -> None:
        """``url`` is where the API is, without ``/platform``; ``timeout`` is seconds in all. ``ValueError`` for
        anything but ``https://``, except ``http://`` to this machine.
        """
        self._api = _Api(url)
        self._token = token
        self._timeout = timeout

    def read(self, org_id: str, authorization: str | None, known_version: str | None) -> Mapping[str, Any] | None:
        path = "/platform/modules/state"
        if self._token is not None:
            path, authorization = f"{path}?orgId={quote(org_id, safe='')}", self._token()
        if authorization is None:
            raise CredentialRefused("the request has no credential")
        headers = {"authorization": authorization}
        is_conditional = known_version is not None and _is_header_text(known_version)
        if is_conditional:
            headers["if-none-match"] = f'"{known_version}"'
        status, content = self._api.request("GET", path, headers, self._timeout)
        if status == 304 and is_conditional:
            return None
        if status in (401, 403):
            raise CredentialRefused(f"the answer is {status}")
        if status != 200:
            raise ReadFailed(f"the answer is {status}")
        try:
            state = json.loads(content)
        except (ValueError, RecursionError):
            raise ReadFailed("the answer is no JSON") from None
        if not isinstance(state, dict):
            raise ReadFailed("the answer is no registry state")
        return state


@dataclasses.dataclass(frozen=True)
class GateLimits:
    """How old, how patient and how large a gate may be. All times in seconds."""

    max_age: float = _LONGEST_AGE_SECONDS
    """From this age on a snapshot is revalidated before it answers; 30 at most."""
    max_stale: float = 300.0
    """Up to this age the last snapshot answers while the state cannot be read."""
    timeout: float = 2.0
    """One read in all. A request without a usable snapshot waits for all of it."""
    retry_after: float = _FIRST_PAUSE_SECONDS
    """After a failed read the next one of the same organisation waits at least this long, and twice as long after each
    further failure, up to 30 seconds. Requests without a usable snapshot and pings do not accept more than the first
    pause.
    """
    organisations: int = 1000
    """So many are remembered; the one that was not asked about for the longest time leaves."""
    patience: float = _PATIENCE_SECONDS
    """So long a request that has a usable snapshot waits for a newer one; then the read goes on without it."""


@dataclasses.dataclass(frozen=True)
class _Snapshot:
    """What the state says about the gate's module. The other modules are not kept, so that a thousand organisations
    stay small.
    """

    version: str
    module_type: str | None
    """``None`` is a module that is not registered."""
    reason: str | None
    required_permissions: tuple[str, ...]
    confirmed: Moment

    def decide(self, permissions: AbstractSet[str]) -> str | None:
        """The reason why the module is off for a caller; ``None`` is on."""
        if self.reason is not None:
            return self.reason
        held = all(permission in permissions for permission in self.required_permissions)
        return None if held else "permission_missing"


class _Read:
    """A read that has begun, in a thread of its own. The gate's lock is held for all of it."""

    def __init__(self, organisation: _Organisation, began: Moment, patience: float, is_unawaited: bool) -> None:
        self.organisation, self.began, self.is_unawaited = organisation, began, is_unawaited
        self.started = time.monotonic()
        self.patience_ends = self.started + patience
        """Requests that have a usable snapshot do not wait for it any longer."""
        self.has_ended = False
        self.is_overdue = False
        """It has had its time, and counts as failed."""


class _Organisation:
    def __init__(self) -> None:
        self.snapshot: _Snapshot | None = None
        self.back_off = _BackOff()
        self.authorization: str | None = None  # The newest one that the source accepted; in memory only.
        self.read: _Read | None = None  # The newest one; it may have ended.


class Gate:
    """Lets a request through only while its module is on for the caller's organisation. Safe to share between threads.

    The answer comes from a snapshot in memory, at most 30 seconds old and revalidated by its version. While the state
    cannot be read, the last snapshot goes on for five minutes; after that, and before anything is known, core modules
    are open and functional closed. One request waits 150 ms for a control plane that hangs; after that none waits that
    has a snapshot, until a read succeeds.
    """

    def __init__(
        self,
        module: str,
        module_type: str,
        source: StateSource,
        *,
        limits: GateLimits = GateLimits(),
        claim_names: ClaimNames = ClaimNames(),
        now: Callable[[], Moment] = Moment.now,
    ) -> None:
        """``module_type`` is ``core`` or ``functional``; once a snapshot was read, what the registry says about it
        counts instead.
        """
        if module_type not in ("core", "functional"):
            raise ValueError('a module is "core" or "functional"')
        self._module, self._declared, self._source, self._limits = module, module_type, source, limits
        self._max_age = min(limits.max_age, _LONGEST_AGE_SECONDS)
        self._claim_names, self._now = claim_names, now
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)  # Some read has.
        # A request has waited in vain. Until the next answer, none waits that has a usable snapshot.
        self._is_silent = False
        self._unawaited = 0  # Reads that no request waits for, while they may still end in time.
        # In the order of use, the least recent first.
        self._organisations: OrderedDict[str, _Organisation] = OrderedDict()

    def __call__(self, handler: Handler) -> Handler:
        """Decorates a handler of HTTP events. Others raise :class:`NotAnHttpEvent`."""

        @functools.wraps(handler)
        def gated(event: Event, context: Any) -> Any:
            refusal = self.refusal(event, context)
            return handler(event, context) if refusal is None else refusal

        return _as_async(handler, gated)

    def refusal(self, event: Event, context: Any = None) -> Answer | None:
        """The answer to an HTTP event that may not pass: 401 without an identity, 503 where the module is off.
        ``None``: it may.
        """
        request = _read_request(event, context, self._claim_names)
        if request.caller is None:
            return _unauthenticated(request)
        caller = request.caller
        reason = self.check(caller.org_id, caller.held_permissions, request.authorization)
        if reason is None:
            return None
        detail = f"{self._module} is not available: {_REASONS[reason]}"
        members = {"module": self._module, "reason": reason}
        return _problem(503, "module_disabled", "The module is not available", detail, request, members)

    def check(self, org_id: str, permissions: AbstractSet[str], authorization: str | None = None) -> str | None:
        """Why the module is off for a caller of an organisation; ``None`` is on. Never raises: trouble is answered from
        what is known.

        Where the source needs a credential of the caller and none is given, the last good one of the organisation is
        used.
        """
        snapshot = self._used(org_id)
        if snapshot is None or self._now().since(snapshot.confirmed) >= self._max_age:
            self._revalidate(org_id, authorization)
            snapshot = self._used(org_id)
        if snapshot is not None and self._now().since(snapshot.confirmed) < self._limits.max_stale:
            return snapshot.decide(permissions)
        # A module does not change its type by being unreadable for long.
        known_type = snapshot.module_type if snapshot is not None else None
        return None if (known_type or self._declared) == "core" else "state_unknown"

    def refresh(self, seconds: float = 2.0) -> None:
        """Revalidates every snapshot, the most recently used first, and returns after so many seconds at the latest."""
        ends = time.monotonic() + seconds
        with self._lock:
            waiting = list(self._organisations)
        under_way: list[_Read] = []
        while time.monotonic() < ends:
            while waiting and len(under_way) < _REFRESHED_AT_ONCE:
                awaited = self._read_to_wait_for(waiting.pop(), None, is_ping=True)
                if awaited is not None:
                    under_way.append(awaited[0])
            if not under_way:
                return
            with self._ended:
                until = min(ends, *(read.started + self._limits.timeout for read in under_way))
                self._ended.wait_for(lambda: any(read.has_ended for read in under_way), until - time.monotonic())
                for read in under_way:
                    self._give_up_if_overdue(read)
                under_way = [read for read in under_way if not read.has_ended and not read.is_overdue]

    def _used(self, org_id: str) -> _Snapshot | None:
        with self._lock:
            organisation = self._organisations.get(org_id)
            if organisation is None:
                return None
            self._organisations.move_to_end(org_id)
            return organisation.snapshot

    def _organisation(self, org_id: str) -> _Organisation:
        """The lock is held. One that is new takes the place of the least recently used."""
        organisation = self._organisations.get(org_id)
        if organisation is None:
            while len(self._organisations) >= max(1, self._limits.organisations):
                self._organisations.popitem(last=False)
            organisation = self._organisations[org_id] = _Organisation()
        return organisation

    def _revalidate(self, org_id: str, authorization: str | None) -> None:
        patience_ends = time.monotonic() + self._limits.patience
        while True:
            awaited = self._read_to_wait_for(org_id, authorization, is_ping=False)
            if awaited is None:
                return
            read, is_own, takes_full_time = awaited
            whole = read.started + self._limits.timeout
            until = whole if takes_full_time else min(read.patience_ends, patience_ends)
            with self._ended:
                if not self._ended.wait_for(lambda: read.has_ended, until - time.monotonic()):
                    self._is_silent = True
                    self._give_up_if_overdue(read)
                    return
            # Somebody else's may end without a word about this request: a ping's, whose credential has expired.
            if is_own:
                return

    def _read_to_wait_for(
        self, org_id: str, authorization: str | None, *, is_ping: bool
    ) -> tuple[_Read, bool, bool] | None:
        """The read that is under way or that begins now, whether it does, and whether it is worth its full time.
        ``None`` where nothing is to be read, or where the request need not wait.
        """
        limits, now = self._limits, self._now()
        with self._lock:
            organisation = self._organisation(org_id)
            known, read = organisation.snapshot, organisation.read
            age = now.since(known.confirmed) if known is not None else math.inf
            if age < self._max_age and not is_ping:
                return None
            takes_full_time = is_ping or age >= limits.max_stale
            if read is not None and not read.has_ended and not read.is_overdue:
                if now.since(read.began) < limits.timeout:
                    is_worth_it = takes_full_time or time.monotonic() < read.patience_ends
                    return (read, False, takes_full_time) if is_worth_it else None
                # One whose sandbox was frozen has had no time to fail, nor will it be worth waiting for.
                if now.steady - read.began.steady >= limits.timeout:
                    self._give_up(read, read.began.after(limits.timeout))
            if organisation.back_off.is_paused(now, limits.retry_after if takes_full_time else math.inf):
                return None
            holds_nobody = organisation.back_off.failures > 0 or self._is_silent
            is_unawaited = holds_nobody and not takes_full_time
            if is_unawaited and self._unawaited >= _UNAWAITED_AT_ONCE:
                return None
            self._unawaited += is_unawaited
            read = _Read(organisation, now, 0.0 if holds_nobody else limits.patience, is_unawaited)
            organisation.read = read
            authorization = authorization if authorization is not None else organisation.authorization
        arguments = (read, org_id, authorization, known, is_ping)
        try:
            threading.Thread(target=self._read, args=arguments, name="module-mgmt", daemon=True).start()
        except RuntimeError as error:  # The sandbox has no room for another thread.
            self._end(read, org_id, authorization, is_ping, error)
        return None if is_unawaited else (read, True, takes_full_time)

    def _give_up_if_overdue(self, read: _Read) -> None:
        if not read.has_ended and time.monotonic() >= read.started + self._limits.timeout:
            self._give_up(read, self._now())

    def _give_up(self, read: _Read, at: Moment) -> None:
        """The lock is held. What the read still brings is taken all the same."""
        if not read.is_overdue:
            read.is_overdue = self._is_silent = True
            self._unawaited -= read.is_unawaited
            read.organisation.back_off.fail(at, self._limits.retry_after)

    def _read(
        self, read: _Read, org_id: str, authorization: str | None, known: _Snapshot | None, is_ping: bool
    ) -> None:
        """In a thread of its own."""
        outcome: _Snapshot | BaseException
        try:
            state = self._source.read(org_id, authorization, known.version if known is not None else None)
            if state is not None:
                outcome = self._snapshot(org_id, state, read.began)
            elif known is not None:
                outcome = dataclasses.replace(known, confirmed=read.began)
            else:
                outcome = ReadFailed("nothing is known that could be unchanged")
        except BaseException as error:  # Whatever a source or a token's function raises, a request must not fail by it.
            outcome = error
        self._end(read, org_id, authorization, is_ping, outcome)

    def _end(
        self,
        read: _Read,
        org_id: str,
        authorization: str | None,
        is_ping: bool,
        outcome: _Snapshot | BaseException,
    ) -> None:
        now, retry_after = self._now(), self._limits.retry_after
        with self._ended:
            # It may have left while it was read.
            organisation = self._organisation(org_id)
            known = organisation.snapshot
            if isinstance(outcome, _Snapshot):
                # One that was overdue may answer after all, when a later one was faster.
                if known is None or known.confirmed.steady <= outcome.confirmed.steady:
                    organisation.snapshot = outcome
                organisation.authorization, self._is_silent = authorization, False
                organisation.back_off.end()
            elif isinstance(outcome, CredentialRefused):
                if is_ping:
                    # A kept credential has expired. The next request brings another, and need not wait for it.
                    organisation.authorization = None
                else:
                    # The next caller may have a better one.
                    organisation.back_off.pause(now, retry_after)
            elif not read.is_overdue:
                organisation.back_off.fail(now, retry_after)
            self._unawaited -= read.is_unawaited and not read.is_overdue
            read.has_ended = True
            self._ended.notify_all()
        if isinstance(outcome, BaseException):
            words = str(outcome) if isinstance(outcome, ReadFailed) else type(outcome).__name__
            _log.warning("the state of %s cannot be read for %r: %s", self._module, org_id, words)

    def _snapshot(self, org_id: str, state: Mapping[str, Any], began: Moment) -> _Snapshot:
        version, modules = state.get("version"), state.get("modules")
        if state.get("orgId") != org_id:
            raise ReadFailed("the answer is about another organisation")
        if not isinstance(version, str) or not isinstance(modules, list):
            raise ReadFailed("the answer is no registry state")
        if not all(isinstance(module, dict) for module in modules):
            raise ReadFailed("the answer is no registry state")
        module = next((module for module in modules if module.get("name") == self._module), None)
        if module is None:
            return _Snapshot(version, None, "not_installed", (), began)
        enabled, reason, required = module.get("enabled"), module.get("reason"), module.get("requiredPermissions")
        is_whole = (
            "type" in module
            and isinstance(enabled, bool)
            and (reason is None or (not enabled and reason != "permission_missing"))
            and isinstance(required, list)
            and all(isinstance(permission, str) for permission in required)
        )
        if not is_whole:
            raise ReadFailed("the answer says nothing consistent about the module")
        # A newer control plane may know more types, and more reasons, which need not be words. Off without a reason is
        # off all the same.
        module_type = "core" if module["type"] == "core" else "functional"
        is_known = isinstance(reason, str) and reason in _SENT_REASONS
        told = None if enabled else reason if is_known else "unknown"
        return _Snapshot(version, module_type, told, tuple(required or ()), began)


# ----------------------------------------------------------------------------------------------------------- warm pings

_PING_SOURCE = "module-mgmt.warmer"
# No ping holds an instance longer, whatever it asks for.
_MAX_HOLD_SECONDS = 2.0


class Warm:
    """Answers a warm ping before the handler runs, and proves which instance answered.

    A ping is ``{"source":"module-mgmt.warmer","ping":{"runId","invocation","of","holdMs"}}``. It is answered after the
    hold, so that pings which start together land on different instances, with
    ``{"instanceId","coldStart","initMs","ageMs"}``.
    """

    def __init__(self, on_ping: Callable[[], object] | None = None) -> None:
        """``on_ping`` runs while a ping is held, for two seconds at most, for example :meth:`Gate.refresh`."""
        self._on_ping = on_ping
        self._lock = threading.Lock()
        self._instance_id: str | None = None
        self._init_ms = _milliseconds_since(_STARTED)

    def __call__(self, handler: Handler) -> Handler:
        """Decorates a handler; everything that a first event needs should be ready by then."""
        self._init_ms = _milliseconds_since(_STARTED)

        @functools.wraps(handler)
        def warmed(event: Event, context: Any) -> Any:
            answer = self.answer(event)
            return handler(event, context) if answer is None else answer

        return _as_async(handler, warmed)

    def answer(self, event: Event) -> Answer | None:
        """The answer to a ping, after its hold; ``None`` for every other event."""
        with self._lock:
            is_first = self._instance_id is None
            if self._instance_id is None:
                # Not at the start: instances that are restored from one snapshot would all have the same.
                self._instance_id = str(uuid.uuid4())
        hold = _read_hold(event)
        if hold is None:
            return None
        self._hold(min(hold, _MAX_HOLD_SECONDS))
        return {
            "instanceId": self._instance_id,
            "coldStart": is_first,
            "initMs": self._init_ms,
            "ageMs": _milliseconds_since(_STARTED),
        }

    def _hold(self, seconds: float) -> None:
        ends = time.monotonic() + _MAX_HOLD_SECONDS
        task = threading.Thread(target=self._run_task, name="module-mgmt", daemon=True)
        if self._on_ping is not None:
            task.start()
        time.sleep(seconds)
        if self._on_ping is not None:
            task.join(max(0.0, ends - time.monotonic()))

    def _run_task(self) -> None:
        try:
            if self._on_ping is not None:
                self._on_ping()
        except Exception:  # A ping is no error because of it.
            _log.exception("what a warm ping does besides has failed")


def _read_hold(event: Event) -> float | None:
    """The hold of a ping in seconds; ``None`` for every other event."""
    if not isinstance(event, dict) or event.get("source") != _PING_SOURCE:
        return None
    ping = event.get("ping")
    if not isinstance(ping, dict) or not isinstance(ping.get("runId"), str):
        return None
    if not all(_is_count(ping.get(name), bits) for name, bits in (("invocation", 32), ("of", 32), ("holdMs", 64))):
        return None
    hold_ms: int = ping["holdMs"]
    return hold_ms / 1000


def _is_count(value: object, bits: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << bits


def _milliseconds_since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


# ---------------------------------------------------------------------------------------------------------------- usage


# Longer texts are cut: a use with half a path counts, and one that is refused does not.
_LONGEST_TEXT = 200
# A client that hangs for longer than the pauses holds no more threads.
_SENT_AT_ONCE = 8


def uuid7(unix_ms: int) -> str:
    """A UUID of version 7 (RFC 9562 section 5.7): the time in milliseconds, then 74 random bits."""
    random = int.from_bytes(os.urandom(10), "big")
    high, low = random >> 68, random & ((1 << 62) - 1)
    return str(uuid.UUID(int=unix_ms << 80 | 7 << 76 | high << 64 | 2 << 62 | low))


class _Sending:
    """An event that is being sent, in a thread of its own. The lock of :class:`Usage` is held for all but waiting."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.is_late = False
        """Its request has gone without it, and it counts as unsent."""


class _Measured:
    """One use of the module; it is counted when it has answered or failed."""

    def __init__(self, usage: Usage, event: Event, context: Any) -> None:
        self._usage, self._event, self._context = usage, event, context
        self._began_ms, self._began = int(time.time() * 1000), time.monotonic()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # The class only: the text may hold anything, and those who read the statistics are not those who read the log.
        if kind is not None:
            self._count(lambda: {"status": "failure", "errorCode": kind.__name__})

    def answered(self, answer: Any) -> None:
        self._count(lambda: _outcome(answer))

    def _count(self, outcome: Callable[[], dict[str, str]]) -> None:
        self._usage._count(self._event, self._context, self._began_ms, self._began, outcome)

    async def until_awaited(self, answer: Any) -> Any:
        with self:
            awaited = await answer
        self.answered(awaited)
        return awaited

    def until_exhausted(self, answer: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        with self:
            returned = yield from answer
        self.answered(returned)
        return returned

    async def until_exhausted_async(self, answer: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        with self:
            try:
                async for part in answer:
                    yield part
            finally:
                await answer.aclose()
        self.answered(None)


# What a handler may return that is still to end, and how to wait for its end.
_ENDING_LATER: tuple[tuple[Callable[[object], bool], Callable[[_Measured, Any], Any]], ...] = (
    (inspect.isgenerator, _Measured.until_exhausted),
    (inspect.isasyncgen, _Measured.until_exhausted_async),
    (inspect.isawaitable, _Measured.until_awaited),
)


class Usage:
    """Counts each request of signed-in callers as one use of the module. Safe to share between threads.

    The event leaves before the answer does, because a sandbox may be frozen right after it. Counting never fails a
    request: what could not be sent is counted in :attr:`unsent` and logged. A send whose answer is lost may have
    arrived, and counts as unsent.

    No answer waits longer than ``patience``. An event that takes longer counts as unsent, is sent on without the
    request, and is taken off again if it arrives. Until something arrives, no answer waits: one event is sent after
    pauses of 1, 2, 4 and up to 30 seconds, and the others are unsent.
    """

    def __init__(
        self,
        module: str,
        *,
        sqs: Any = None,
        queue_url: str | None = None,
        url: str | None = None,
        claim_names: ClaimNames = ClaimNames(),
        timeout: float = 2.0,
        patience: float = _PATIENCE_SECONDS,
        now: Callable[[], Moment] = Moment.now,
    ) -> None:
        """Either ``sqs`` (a client with ``send_message``, such as boto3's) and ``queue_url``, or ``url``, the control
        plane's API as in :class:`HttpSource`. ``timeout`` is seconds in all over HTTP; an SQS client has time limits
        of its own. ``patience`` is what one event may add to a request, in seconds.
        """
        if (sqs is None) != (queue_url is None) or (sqs is None) == (url is None):
            raise ValueError("give either sqs and queue_url, or url")
        self._module, self._sqs, self._queue_url, self._timeout = module, sqs, queue_url, timeout
        self._api = _Api(url) if url is not None else None
        self._claim_names, self._now = claim_names, now
        self._patience = min(patience, timeout)
        self._lock = threading.Lock()
        self._back_off = _BackOff()
        self._under_way = 0
        self.unsent = 0
        """How many events are not known to have arrived since the sandbox started."""

    def __call__(self, handler: Handler) -> Handler:
        """Decorates a handler. What is not an HTTP event of a signed-in caller is handled without being counted.

        A handler that is ``async`` or returns a coroutine or a generator is measured until that ends. One that is
        cancelled, or closed before its end, has failed.
        """

        @functools.wraps(handler)
        def counted(event: Event, context: Any) -> Any:
            measured = _Measured(self, event, context)
            with measured:
                answer = handler(event, context)
            for ends_later, until_its_end in _ENDING_LATER:
                if ends_later(answer):
                    return until_its_end(measured, answer)
            measured.answered(answer)
            return answer

        return _as_async(handler, counted)

    def _count(
        self, event: Event, context: Any, began_ms: int, began: float, outcome: Callable[[], dict[str, str]]
    ) -> None:
        try:
            duration_ms = _milliseconds_since(began)
            request = _read_request(event, context, self._claim_names)
            if request.caller is None:
                return
            use = {
                "id": uuid7(began_ms),
                "eventType": "api_call",
                "endpoint": request.route[:_LONGEST_TEXT],
                "httpMethod": request.method,
                "durationMs": duration_ms,
                **outcome(),
                "occurredAt": _rfc3339(began_ms),
            }
            self.send(request.caller.org_id, request.caller.user_id, use, request.authorization)
        except NotAnHttpEvent:
            return
        except Exception as error:  # A fault of ours must not become one of the request.
            self._note(error)

    def send(self, org_id: str, user_id: str, use: Mapping[str, Any], authorization: str | None = None) -> bool:
        """Sends one event without ``moduleName``, with the API's field names; whether it is known to have arrived.
        Never raises.
        """
        patience = self._begin()
        if patience is None:
            self._note(ReadFailed("nothing has arrived lately, and it is not yet time to try again"))
            return False
        sending = _Sending()
        try:
            arguments = (sending, org_id, user_id, use, authorization)
            threading.Thread(target=self._send, args=arguments, name="module-mgmt", daemon=True).start()
        except RuntimeError as error:  # The sandbox has no room for another thread.
            self._end(sending, error)
        sending.ended.wait(patience)
        with self._lock:
            sending.is_late = not sending.ended.is_set()
            if not sending.is_late:
                self._back_off.end()
            elif patience > 0:
                self._back_off.fail(self._now(), _FIRST_PAUSE_SECONDS)
            error = ReadFailed("there was no answer in time") if sending.is_late else sending.error
            self.unsent += error is not None
            unsent = self.unsent
        if error is not None:
            self._warn(error, unsent)
        return error is None

    def _begin(self) -> float | None:
        """How long the answer waits for an event that is sent now; ``None`` while none is sent."""
        with self._lock:
            now = self._now()
            if self._back_off.is_paused(now) or self._under_way >= _SENT_AT_ONCE:
                return None
            self._under_way += 1
            if self._back_off.failures == 0:
                return self._patience
            # It has failed until it arrives, so that no other is sent meanwhile.
            self._back_off.fail(now, _FIRST_PAUSE_SECONDS)
            return 0.0

    def _send(
        self, sending: _Sending, org_id: str, user_id: str, use: Mapping[str, Any], authorization: str | None
    ) -> None:
        """In a thread of its own."""
        try:
            if self._api is not None:
                self._post(use, authorization)
            else:
                self._enqueue(org_id, user_id, use)
        except BaseException as error:  # Whatever a client raises, a request must not fail by it.
            self._end(sending, error)
        else:
            self._end(sending, None)

    def _end(self, sending: _Sending, error: BaseException | None) -> None:
        with self._lock:
            self._under_way -= 1
            sending.error = error
            sending.ended.set()
            if not sending.is_late:
                return
            # Whoever refuses promptly holds nobody.
            if error is None or time.monotonic() - sending.started <= self._patience:
                self._back_off.end()
            self.unsent -= error is None
            unsent = self.unsent
        if error is None:
            _log.info("a usage event of %s was sent after all (%d unsent)", self._module, unsent)

    def _post(self, use: Mapping[str, Any], authorization: str | None) -> None:
        if self._api is None or authorization is None:
            raise CredentialRefused("the request has no credential")
        path = f"/platform/modules/{quote(self._module, safe='')}/usage"
        headers = {"authorization": authorization, "content-type": "application/json"}
        status, _ = self._api.request("POST", path, headers, self._timeout, json.dumps(use).encode())
        if status not in (200, 201):
            raise ReadFailed(f"the answer is {status}")

    def _enqueue(self, org_id: str, user_id: str, use: Mapping[str, Any]) -> None:
        event = {**use, "moduleName": self._module}
        body = json.dumps({"orgId": org_id, "userId": user_id, "event": event})
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body)

    def _note(self, error: BaseException) -> None:
        with self._lock:
            self.unsent += 1
            unsent = self.unsent
        self._warn(error, unsent)

    def _warn(self, error: BaseException, unsent: int) -> None:
        _log.warning(
            "a usage event of %s was not sent: %s: %s (%d so far)", self._module, type(error).__name__, error, unsent
        )


def _outcome(answer: Any) -> dict[str, str]:
    """What an answer says about success, with the code and detail of a problem document."""
    status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
    try:
        status = int(status)
    except (OverflowError, TypeError, ValueError):
        # The gateway answers 500 to its client.
        return {"status": "failure", "errorCode": "malformed_answer"}
    if status < 400:
        return {"status": "partial" if status == 207 else "success"}
    outcome = {"status": "failure", "errorCode": f"http_{status}"}
    try:
        problem = json.loads(answer["body"])
        texts = {"errorCode": problem["code"], "errorMessage": problem["detail"]}
    except (KeyError, TypeError, ValueError, RecursionError):
        return outcome
    outcome.update({name: text[:_LONGEST_TEXT] for name, text in texts.items() if isinstance(text, str) and text})
    return outcome


def _rfc3339(unix_ms: int) -> str:
    moment = datetime.fromtimestamp(unix_ms / 1000, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{unix_ms % 1000:03d}Z"
