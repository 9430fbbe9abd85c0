"""All that the dashboard asks of other servers: of the issuer, and of the addresses that it names as its own.

An answer has a time and a size, a redirect is not followed, and whatever goes wrong is an IssuerError.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError

from core.enrich.text import clean
from pages.sign_in.sign_in_fault import SignInFault

ANSWERS_WITHIN = 10.0
"""Seconds for what one step asks of the issuer, from the connection to the last byte (own)."""

LARGEST_ANSWER = 256 * 1024
"""Bytes. Google's, Microsoft's and Keycloak's are below 20 KiB."""

_TIMES = ("exp", "iat", "nbf")


class IssuerError(Exception):
    """The issuer does not sign anybody in; `fault` says it to people, the text to the log."""

    def __init__(self, fault: SignInFault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault


@asynccontextmanager
async def asking() -> AsyncGenerator[httpx.AsyncClient]:
    """A client for the issuer; whatever goes wrong is an IssuerError."""
    client = httpx.AsyncClient(
        headers={"Accept-Encoding": "identity"},
        timeout=ANSWERS_WITHIN,
        follow_redirects=False,
        transport=_BoundedTransport(),
    )
    try:
        async with asyncio.timeout(ANSWERS_WITHIN), client:
            yield client
    except (TimeoutError, httpx.RequestError) as error:
        raise IssuerError(SignInFault.ISSUER_AWAY, type(error).__name__) from None
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        fault = SignInFault.ISSUER_AWAY if status >= 500 else SignInFault.MISCONFIGURED
        raise IssuerError(fault, f"{error.request.url.path} answered {status}") from None
    except ExpiredTokenError:
        raise IssuerError(SignInFault.CLOCK, "the id_token has expired") from None
    except ClaimError as error:
        is_there = not isinstance(error, MissingClaimError)
        fault = SignInFault.CLOCK if is_there and error.claim in _TIMES else SignInFault.FORGED
        raise IssuerError(fault, f"the id_token's {error.claim} is not right") from None
    except JoseError as error:
        raise IssuerError(SignInFault.FORGED, type(error).__name__) from None
    except (msgspec.MsgspecError, httpx.InvalidURL, ValueError, KeyError, RecursionError) as error:
        detail = f"an answer that cannot be read: {clean(str(error), 200)}"
        raise IssuerError(SignInFault.MISCONFIGURED, detail) from None


class _BoundedTransport(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if "content-encoding" in response.headers:
            await response.aclose()
            raise ValueError("it is compressed, although nobody asked for that")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(response.stream)
        return response


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise ValueError(f"it is larger than {LARGEST_ANSWER} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
