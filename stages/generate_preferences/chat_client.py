"""Ask an OpenAI-compatible chat API, many requests at a time, again after passing failures, never twice the same."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from stages.errors import TransientTrouble, Trouble
from stages.generate_preferences.parameters import Endpoint
from stages.generate_preferences.request_cache import RequestCache

if TYPE_CHECKING:
    import httpx

Messages = list[dict[str, str]]

PASSING = {408, 409, 425, 429, 500, 502, 503, 504}  # worth another try
FIRST_PAUSE_SECONDS = 0.5  # doubled at each try
LONGEST_PAUSE_SECONDS = 60.0


class Answer(NamedTuple):
    """What the model wrote, and whether the token limit ended it."""

    text: str
    cut_off: bool


class ChatClient:
    """One model at one address; use it in `async with`."""

    def __init__(self, endpoint: Endpoint, cache: RequestCache, key: str, seed: int) -> None:
        self.sent = 0
        self.reused = 0
        self._endpoint = endpoint
        self._cache = cache
        self._key = key
        self._seed = seed
        self._http: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(endpoint.concurrency)

    async def __aenter__(self) -> Self:
        import httpx

        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._http = httpx.AsyncClient(headers=headers, timeout=self._endpoint.timeout_seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http:
            await self._http.aclose()

    async def ask(self, messages: Messages) -> Answer:
        """The model's answer, from the cache where the same was asked before."""
        request = self._request(messages)
        # what is asked of whom: the key, the time-out and the number of retries change no answer
        asked = {"url": self._endpoint.url, "revision": self._endpoint.revision, **request}
        known = self._cache.get(asked)
        if known is not None:
            self.reused += 1
            return Answer(**known)
        async with self._slots:
            answer = _answer(self._endpoint, await self._post(request))
        self._cache.put(asked, answer._asdict())
        self.sent += 1
        return answer

    def _request(self, messages: Messages) -> dict[str, Any]:
        return {
            "model": self._endpoint.model,
            "messages": messages,
            "temperature": self._endpoint.temperature,
            "max_tokens": self._endpoint.max_tokens,
            "seed": self._seed,
        }

    async def _post(self, request: dict[str, Any]) -> Any:
        """Send the request until it is answered; raises Trouble when that cannot be hoped for."""
        import httpx

        assert self._http is not None, "use the client in an async with block"
        failure, pause = "", 0.0
        for tried in range(self._endpoint.retries + 1):
            if tried:
                await asyncio.sleep(pause)
            pause = min(FIRST_PAUSE_SECONDS * 2**tried, LONGEST_PAUSE_SECONDS)
            try:
                response = await self._http.post(f"{self._endpoint.url}/chat/completions", json=request)
            except httpx.TransportError as error:
                failure = type(error).__name__
                continue
            if response.status_code == httpx.codes.OK:
                return _json(self._endpoint, response)
            failure = f"HTTP {response.status_code}: {self._short(response.text)}"
            if response.status_code not in PASSING:
                raise Trouble(
                    f"The teacher at {self._endpoint.url} refused ({failure}); wanted an answer of "
                    f"{self._endpoint.model}: check generate_preferences.endpoint and COMMONS_TEACHER_API_KEY."
                )
            pause = _asked_pause(response) or pause
        raise TransientTrouble(
            f"The teacher at {self._endpoint.url} does not answer ({failure}; tried {self._endpoint.retries + 1} "
            "times); run again when it does: answers so far are kept."
        )

    def _short(self, text: str) -> str:
        """The beginning of an error page; some servers repeat the key they refuse, and it must not reach a log."""
        shown = text.replace(self._key, "[key]") if self._key else text
        return " ".join(shown.split())[:200]


def _json(endpoint: Endpoint, response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise _no_chat_api(endpoint) from None


def _answer(endpoint: Endpoint, content: Any) -> Answer:
    try:
        choice = content["choices"][0]
        return Answer((choice["message"]["content"] or "").strip(), choice.get("finish_reason") == "length")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise _no_chat_api(endpoint) from None


def _no_chat_api(endpoint: Endpoint) -> Trouble:
    return Trouble(
        f"The teacher at {endpoint.url} answered without choices[0].message.content; wanted an OpenAI-compatible "
        "chat API: its base URL, often ending in /v1, is generate_preferences.endpoint.url."
    )


def _asked_pause(response: httpx.Response) -> float | None:
    """The seconds that the server asks to wait (the header may hold a date instead, which is not followed)."""
    try:
        return min(max(float(response.headers["Retry-After"]), 0.0), LONGEST_PAUSE_SECONDS)
    except (KeyError, ValueError):
        return None
