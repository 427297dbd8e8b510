"""Ask a public server politely: not too often, again after trouble that passes, over https only.

Waiting times follow from the number of the attempt alone (no chance in them), so that a test can foretell them.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from stages.errors import TransientTrouble, Trouble

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

AGAIN = {429, 500, 502, 503, 504}  # answers that may be another one later
REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True)
class Manners:
    """How a server is asked."""

    per_minute: int = 100  # Decidim's default limit per address (rack-attack)
    attempts: int = 7  # waits of 1, 2, 4 … 32 seconds: about a minute of trouble passes unnoticed
    timeout_seconds: float = 60
    longest_wait_seconds: float = 300  # a server that asks for more is left alone


class Later(Exception):
    """The server asks to come again; `seconds` is None where it does not say when."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Polite:
    """A client with manners; `sleep` and `clock` are there for tests."""

    def __init__(
        self,
        manners: Manners,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.manners, self._say, self._sleep, self._clock = manners, say, sleep, clock
        self._next = 0.0

    def patiently(self, url: str, ask: Callable[[], T]) -> T:
        """What `ask` returns; asks again after trouble that may pass."""
        import httpx

        reason = ""
        for attempt in range(self.manners.attempts):
            self._pace()
            try:
                return ask()
            except Later as later:
                reason, wait = str(later), later.seconds
            except httpx.RequestError as error:  # no connection, a dropped one, an answer cut off
                reason, wait = f"{type(error).__name__}: {error}", None
            if attempt + 1 < self.manners.attempts:
                self._wait(url, reason, 2.0**attempt if wait is None else wait)
        raise TransientTrouble(
            f"{host(url)} did not answer after {self.manners.attempts} attempts (last: {reason[:120]});"
            " run the same command later: it continues where it stopped."
        )

    def _wait(self, url: str, reason: str, seconds: float) -> None:
        if seconds > self.manners.longest_wait_seconds:
            raise TransientTrouble(
                f"{host(url)} asks to come back in {seconds:.0f} seconds ({reason[:120]});"
                " run the same command then: it continues where it stopped."
            )
        self._say(f"{host(url)}: {reason[:120]}; again in {seconds:g} s")
        self._sleep(seconds)

    def _pace(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + 60 / self.manners.per_minute


@contextmanager
def client(url: str, manners: Manners, token: str = "") -> Iterator[httpx.Client]:
    """An HTTP client for one server; the token goes to nobody else, since redirects are not followed by themselves."""
    import httpx

    headers = {"User-Agent": "democratic-commons"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    # The environment's proxies are for other machines; loopback is this one.
    with httpx.Client(headers=headers, timeout=manners.timeout_seconds, trust_env=not is_loopback(url)) as opened:
        yield opened


def check_url(url: str) -> str:
    """The URL, if it may be asked; raises Trouble where it is not https or carries a password."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"https", "http"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port such as 99999, half an IPv6 address
        valid = False
    if not valid or re.search(r"[\x00-\x20\x7f]", url):
        raise Trouble(f"{url[:80]!r} is not a web address; wanted one that begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise Trouble(f"The address of {parts.hostname} holds a name or password; wanted none: remove it.")
    if parts.scheme == "http" and not is_loopback(url):
        raise Trouble(f"{url[:80]} is not encrypted; wanted https (http only on this machine's loopback address).")
    return url


def is_loopback(url: str) -> bool:
    """Whether the URL leads to this machine."""
    name = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def host(url: str) -> str:
    """The server's name, for messages."""
    return urlsplit(url).netloc.rsplit("@", 1)[-1]


def check_answer(response: httpx.Response) -> None:
    """Raise Later where the answer may be another one later, Trouble where it will not."""
    status, url = response.status_code, str(response.url).split("?")[0]
    if status in AGAIN:
        raise Later(f"answered {status}", retry_after(response.headers.get("retry-after", "")))
    if status in {401, 403}:
        raise Trouble(f"{url} answered {status}: it wants a sign-in; set COMMONS_DECIDIM_TOKEN, or ask its operators.")
    if status >= 300:
        raise Trouble(f"{url} answered {status}; wanted 200: check the address.")


def retry_after(value: str) -> float | None:
    """The seconds of a Retry-After header (a number or a date); None where it tells nothing."""
    value = value.strip()
    if value.isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
