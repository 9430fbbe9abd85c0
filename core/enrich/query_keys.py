"""The keys of a path's query that are kept: those that a site names, or else all but what is secret."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from urllib.parse import unquote_plus


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER = _words(
    "accesskey apikey bearer cardnumber cookie creditcard csrf cvc cvv email iban jwt oscsid otp passcode"
    " passphrase phpsessid pwd samlart samlrequest samlresponse sessid sessionid ssn tok totp visitormonitor"
    " wpnonce xsrf xtcsid zenid"
)
_NEVER_WITHIN = re.compile(
    r"credential|email|kennwort|motdepasse|passw|secret|sessionid|signature|token", re.IGNORECASE
)
"""Words of keys whose value opens something or names somebody, and what says so wherever it stands in a key, as
in csrfmiddlewaretoken. From OAuth 2.0 (RFC 6749 and 7519), OpenID Connect, SAML and signed addresses of
clouds (their parameters), the deny lists of Sentry and of Rails' filter_parameters, the sessions of PHP, Java and
WordPress, and links in mails of shops. visitormonitor: that of the link for own visits."""

_USUALLY_NOT = _words(
    "accesscode account address assertion auth authcode authkey authorization birthdate birthday card cell code"
    " dob firstname forename fname fullname giftcard hash hmac invitation invite invitecode key lastname lname"
    " login magic mail mobile nonce orderkey pass phone pin recipient recovery redirect relaystate reset resetcode"
    " resetkey session sid sig sign state surname tel telefon telephone ticket unsubscribe user username"
    " verification verificationcode verify"
)
"""The same, though on some websites they name a page: `code` an article, `state` a part of a country. They are
kept where the site names them."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_FRAGMENT_QUERY = re.compile(r"[?&]")
_BETWEEN_PAIRS = re.compile(r"[?&;]")
"""A second "?" too: links in mails are often put together without a look whether there is one."""
_INNER_KEY = re.compile(r"[?&;#]([^?&;#=]+)=")
_PATH_PARAMETER = re.compile(r";([^;/=]+)=[^;/]*")
"""As Java writes its session into a path: /shop;jsessionid=1A2B."""
_ENCODED_AT_MOST = 3


def is_secret(key: str) -> bool:
    """Whether the value of a query's key with this name may open something, or name somebody."""
    return is_always_secret(key) or _has_word(key, _USUALLY_NOT)


def is_always_secret(key: str) -> bool:
    """Whether no website names a page by such a key."""
    return _has_word(key, _NEVER) or _NEVER_WITHIN.search(key) is not None


def keep_query(path: str, keys: frozenset[str]) -> str:
    """The path with these keys of its query; without any named, with all that are not secret.

    The route behind a "#" may have a query of its own, which is treated alike. A key whose value is an
    address with a secret in its query goes too, and so does a parameter of the path that is one.
    """
    return _kept(path, keys) if "?" in path or "#" in path or ";" in path else path


@lru_cache(maxsize=2_048)
def _kept(path: str, keys: frozenset[str]) -> str:
    page, mark, fragment = path.partition("#")
    page, _, query = page.partition("?")
    route, route_query = _split_fragment(fragment)
    return (
        _PATH_PARAMETER.sub(_without_secret, page)
        + _query(query, keys)
        + (mark + route if route else "")
        + _query(route_query, keys)
    )


def _without_secret(parameter: re.Match[str]) -> str:
    return "" if is_secret(_decoded(parameter[1])) else parameter[0]


def _split_fragment(fragment: str) -> tuple[str, str]:
    """The route and its query; both empty where it is no route, as "access_token=..."."""
    route, *queries = _FRAGMENT_QUERY.split(fragment, maxsplit=1)
    return ("", "") if "=" in route else (route, "".join(queries))


def _query(query: str, keys: frozenset[str]) -> str:
    kept = [pair for pair in _BETWEEN_PAIRS.split(query) if pair and _is_kept(pair, keys)]
    return "?" + "&".join(kept) if kept else ""


def _is_kept(pair: str, keys: frozenset[str]) -> bool:
    key, _, value = pair.partition("=")
    key = unquote_plus(key)
    is_named = key in keys if keys else not is_secret(_decoded(key))
    return is_named and not any(is_secret(inner) for inner in _INNER_KEY.findall(_decoded(value)))


def _decoded(text: str) -> str:
    """Also what was encoded again, as an address within an address."""
    for _ in range(_ENCODED_AT_MOST):
        if "%" not in text and "+" not in text:
            break
        text = unquote_plus(text)
    return text


def _has_word(key: str, words: frozenset[str]) -> bool:
    """By its words, as in userEmail, reset_token, X-Auth and user[mail], and by two that follow each other."""
    found = [word.lower() for word in _WORD.findall(key)]
    pairs = (first + second for first, second in pairwise(found))
    return not words.isdisjoint(found) or not words.isdisjoint(pairs)
