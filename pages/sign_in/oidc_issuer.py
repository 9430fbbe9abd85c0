"""The issuer of OpenID Connect: how to ask it, and whom it says that it has signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any
from urllib.parse import quote_plus

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from msgspec import Struct

from core.enrich.text import clean
from core.settings import settings
from pages.sign_in.oidc_attempt import OidcAttempt
from pages.sign_in.oidc_requests import IssuerError, asking
from pages.sign_in.sign_in_fault import SignInFault

KNOWN_FOR = 3600.0
"""Seconds for which what the issuer says of itself is not asked again (own)."""

LEEWAY = 120
"""Seconds by which the issuer's clock may differ."""

SCOPE = "openid email profile"

_ALGORITHMS = frozenset(
    [
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "EdDSA",
        "Ed25519",
    ]
)
"""Signatures by a key that only the issuer has. Neither "none" nor HS256, whose key is the client's secret."""

_LONGEST_SUBJECT = 255
_LONGEST_WORD = 60


class ProviderMetadata(Struct, frozen=True):
    """What the issuer says of itself: OpenID Connect Discovery 1.0, the names are the standard's."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class TokenAnswer(Struct, frozen=True):
    """What the issuer gives for a code."""

    id_token: str
    access_token: str = ""


class TokenRefusal(Struct, frozen=True):
    """Why it gives nothing."""

    error: str = ""


class Issuer:
    """The one of MONITOR_OIDC_ISSUER. Every method raises IssuerError."""

    def __init__(self) -> None:
        self._metadata: ProviderMetadata | None = None
        self._metadata_until = 0.0
        self._keys: KeySet | None = None
        self._discovery: asyncio.Task[ProviderMetadata] | None = None

    async def authorization_url(self, attempt: OidcAttempt, redirect_uri: str) -> str:
        """Where the browser signs in."""
        metadata = await self.metadata()
        return prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=settings().oidc_client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=SCOPE,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )

    async def claims(self, attempt: OidcAttempt, redirect_uri: str, code: str) -> dict[str, Any]:
        """What the issuer says of whoever signed in, verified. "iss" and "sub" are always there."""
        metadata = await self.metadata()
        async with asking() as client:
            token = await _redeem(client, metadata, attempt, redirect_uri, code)
            claims = await self._verified(client, metadata, token, attempt.nonce)
            if not _is_complete(claims) and metadata.userinfo_endpoint:
                said = await _userinfo(client, metadata, token.access_token, claims["sub"])
                claims = {**said, **claims}
        return claims

    async def metadata(self) -> ProviderMetadata:
        """What the issuer says of itself, asked for once an hour, and once for all who wait."""
        known = self._metadata
        if known is None or monotonic() > self._metadata_until:
            if self._discovery is None or self._discovery.done():
                self._discovery = asyncio.create_task(_discover(settings().oidc_issuer))
            known = await asyncio.shield(self._discovery)
            self._metadata = known
            self._metadata_until = monotonic() + KNOWN_FOR
            self._keys = None
        return known

    async def _verified(
        self, client: httpx.AsyncClient, metadata: ProviderMetadata, token: TokenAnswer, nonce: str
    ) -> dict[str, Any]:
        """The claims of the ID token. A key that is not known may be new: the keys are asked for once more."""
        are_new = self._keys is None
        try:
            signed = _decode(token.id_token, metadata, await self._key_set(client, metadata))
        except JoseError:
            if are_new:
                raise
            self._keys = None
            signed = _decode(token.id_token, metadata, await self._key_set(client, metadata))
        return _checked(signed, metadata, token, nonce)

    async def _key_set(self, client: httpx.AsyncClient, metadata: ProviderMetadata) -> KeySet:
        if self._keys is None:
            answer = await client.get(metadata.jwks_uri)
            answer.raise_for_status()
            self._keys = KeySet.import_key_set(answer.json())
        return self._keys


async def _discover(issuer: str) -> ProviderMetadata:
    async with asking() as client:
        answer = await client.get(f"{issuer}/.well-known/openid-configuration")
        answer.raise_for_status()
        found = msgspec.json.decode(answer.content, type=ProviderMetadata)
    # The setting is written without a closing slash; some issuers have one.
    if found.issuer.rstrip("/") != issuer:
        raise IssuerError(SignInFault.MISCONFIGURED, f"the issuer calls itself {found.issuer!r}")
    schemes = ("https://", "http://") if issuer.startswith("http:") else ("https://",)
    endpoints = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
    for url in filter(None, (*endpoints, found.userinfo_endpoint)):
        if not url.startswith(schemes):
            raise IssuerError(SignInFault.MISCONFIGURED, f"an endpoint without https: {url!r}")
    return found


async def _redeem(
    client: httpx.AsyncClient,
    metadata: ProviderMetadata,
    attempt: OidcAttempt,
    redirect_uri: str,
    code: str,
) -> TokenAnswer:
    """The tokens for the code, which the issuer gives once."""
    id, secret = settings().oidc_client_id, settings().oidc_client_secret
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": attempt.verifier,
    }
    methods = metadata.token_endpoint_auth_methods_supported
    if "client_secret_basic" in methods or "client_secret_post" not in methods:
        # RFC 6749, 2.3.1: both are encoded before they become the header.
        auth = httpx.BasicAuth(quote_plus(id), quote_plus(secret))
        answer = await client.post(metadata.token_endpoint, data=form, auth=auth)
    else:
        form |= {"client_id": id, "client_secret": secret}
        answer = await client.post(metadata.token_endpoint, data=form)
    if answer.status_code == 400:
        word = clean(msgspec.json.decode(answer.content, type=TokenRefusal).error, _LONGEST_WORD)
        fault = SignInFault.STALE if word == "invalid_grant" else SignInFault.MISCONFIGURED
        raise IssuerError(fault, f"the issuer refuses the code: {word!r}")
    answer.raise_for_status()
    return msgspec.json.decode(answer.content, type=TokenAnswer)


def _decode(text: str, metadata: ProviderMetadata, keys: KeySet) -> jwt.Token:
    allowed = _ALGORITHMS.intersection(metadata.id_token_signing_alg_values_supported)
    registry = JWSRegistry(algorithms=sorted(allowed), strict_check_header=False)
    return jwt.decode(text, key=keys, registry=registry)


def _checked(
    signed: jwt.Token, metadata: ProviderMetadata, token: TokenAnswer, nonce: str
) -> dict[str, Any]:
    client_id = settings().oidc_client_id
    claims = CodeIDToken(
        signed.claims,
        signed.header,
        {
            "iss": {"essential": True, "value": metadata.issuer},
            "aud": {"essential": True, "value": client_id},
        },
        {"nonce": nonce, "client_id": client_id, "access_token": token.access_token},
    )
    claims.validate(leeway=LEEWAY)
    subject = claims["sub"]
    if not (isinstance(subject, str) and 0 < len(subject) <= _LONGEST_SUBJECT):
        raise IssuerError(SignInFault.FORGED, "sub is no id")
    return dict(claims)


def _is_complete(claims: Mapping[str, Any]) -> bool:
    """Whether the ID token says all that is asked of it; some issuers leave the rest to userinfo."""
    role_claim = settings().oidc_role_claim
    return "email" in claims and (not role_claim or claim_at(claims, role_claim) is not None)


def claim_at(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name, or below it by dots as in `realm_access.roles`; None when there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


async def _userinfo(
    client: httpx.AsyncClient, metadata: ProviderMetadata, access_token: str, sub: str
) -> dict[str, Any]:
    bearer = {"Authorization": f"Bearer {access_token}"}
    answer = await client.get(metadata.userinfo_endpoint, headers=bearer)
    answer.raise_for_status()
    claims = msgspec.json.decode(answer.content, type=dict[str, Any])
    if claims.get("sub") != sub:
        raise IssuerError(SignInFault.FORGED, "userinfo speaks of somebody else")
    return claims
