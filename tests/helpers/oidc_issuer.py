"""An issuer of OpenID Connect for the tests: oidc-provider-mock on a port of its own.

Its ID tokens are signed anew with a key of the test, so that it can be made to lie.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote_plus

import httpx
import oidc_provider_mock
from authlib.common.encoding import urlsafe_b64encode
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import extract_compact
from werkzeug.datastructures import Headers
from werkzeug.serving import make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

CLIENT_ID, CLIENT_SECRET = "visitor-monitor", "the client's secret & more"
Claims = dict[str, Any]

_CREDENTIALS = (quote_plus(CLIENT_ID), quote_plus(CLIENT_SECRET))


class RunningIssuer:
    """The issuer. What a test sets changes what it answers from then on.

    change: makes the ID token's claims. sign: makes the token of them. answers: what it says instead,
    by path. thin: the ID token has none of the person's claims, only userinfo has.
    """

    def __init__(self) -> None:
        self.address = ""
        self._provider = oidc_provider_mock.app()
        self.reset()

    def reset(self) -> None:
        """An honest issuer again, of a new key."""
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.change: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.signed
        self.answers: dict[str, Response] = {}
        self.thin = False
        self._challenges: dict[str, str] = {}

    def signed(self, claims: Claims, key: RSAKey | None = None) -> str:
        """The claims as a token, signed by the issuer's key or another one."""
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, claims, key or self.key)

    def signed_by_secret(self, claims: Claims) -> str:
        """The claims as a token that everybody can sign who has the client's secret."""
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))

    def unsigned(self, claims: Claims) -> str:
        """The claims as a token that nobody has signed."""
        [_, body, _] = self.signed(claims).split(".")
        header = urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode()
        return f"{header}.{body}."

    def person(self, sub: str, **claims: Any) -> None:
        """Somebody who can sign in there; with a verified address unless said otherwise."""
        email = {"email": f"{sub}@shop.example", "email_verified": True, "name": sub.title()}
        said = {name: value for name, value in (email | claims).items() if value is not None}
        httpx.put(f"{self.address}/users/{sub}", json=said).raise_for_status()

    def say(self, path: str, said: Claims) -> None:
        """Have it answer this."""
        self.answers[path] = _json(said)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path in self.answers:
            return self.answers[request.path]
        if request.path == "/jwks":
            return _json({"keys": [self.key.as_dict(private=False)]})
        if request.path == "/oauth2/authorize":
            return self._authorize(request)
        if request.path == "/oauth2/token":
            return self._token(request)
        return self._asked(request)

    def _authorize(self, request: Request) -> Response:
        answer = self._asked(request)
        location = answer.headers.get("location", "")
        code = parse_qs(location.partition("?")[2]).get("code")
        if "error=" in location:
            # The provider forgets the state, which the standard wants.
            answer.headers["location"] = f"{location}&state={request.args['state']}"
        if code:
            assert request.args["code_challenge_method"] == "S256"
            self._challenges[code[0]] = request.args["code_challenge"]
        return answer

    def _token(self, request: Request) -> Response:
        body = request.get_data()
        challenge = create_s256_code_challenge(request.form["code_verifier"])
        if self._challenges.get(request.form["code"]) != challenge:
            return _json({"error": "invalid_grant"}, 400)
        client = request.authorization
        if client is None or (client.username, client.password) != _CREDENTIALS:
            return _json({"error": "invalid_client"}, 401)
        answer = self._asked(request, body)
        if answer.status_code != 200:
            return answer
        said = answer.get_json()
        claims = jwt_claims(said["id_token"])
        if self.thin:
            claims = {name: claims[name] for name in ("iss", "sub", "aud", "exp", "iat", "nonce")}
        return _json({**said, "id_token": self.sign(self.change(claims))})

    def _asked(self, request: Request, body: bytes = b"") -> Response:
        """The provider's own answer."""
        return Client(self._provider).open(
            request.path,
            method=request.method,
            query_string=request.query_string.decode(),
            headers=Headers([pair for pair in request.headers if pair[0] != "Content-Length"]),
            data=body or request.get_data(),
            base_url=request.host_url,
        )


@contextmanager
def running_issuer() -> Iterator[RunningIssuer]:
    """An issuer for as long as the context lasts."""
    issuer = RunningIssuer()
    server = make_server("localhost", 0, issuer, threaded=True)
    issuer.address = f"http://localhost:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _json(said: Claims, status: int = 200) -> Response:
    return Response(json.dumps(said), status, content_type="application/json")


def settings_for(issuer: RunningIssuer, **others: str) -> dict[str, Any]:
    """The settings of a dashboard whose issuer it is."""
    return {
        "MONITOR_OIDC_ISSUER": issuer.address,
        "MONITOR_OIDC_CLIENT_ID": CLIENT_ID,
        "MONITOR_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        **others,
    }


def jwt_claims(token: str) -> Claims:
    """What the token says, whoever has signed it."""
    payload = extract_compact(token.encode()).payload
    assert payload is not None
    return json.loads(payload)
