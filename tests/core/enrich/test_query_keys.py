"""The keys of a path's query that are kept."""

import pytest

from core.enrich.query_keys import is_always_secret, is_secret, keep_query
from core.enrich.text import clean_path

NONE = frozenset()


@pytest.mark.parametrize(
    "key",
    [
        *("token", "TOKEN", "access_token", "id_token", "refreshToken", "csrfmiddlewaretoken"),
        *("password", "newPassword", "passwd", "Passwort", "pwd", "user[password]"),
        *("email", "userEmail", "useremail", "e-mail", "E_Mail", "contact.email", "emails[]"),
        *("client_secret", "payment_intent_client_secret", "api_key", "apiKey", "APIKey", "apikey"),
        *("jwt", "otp", "sessionid", "session_id", "JSESSIONID", "PHPSESSID", "X-Amz-Signature"),
        *("mkt_tok", "cardnumber", "osCsid", "Kennwort", "motdepasse"),
        *("SAMLResponse", "_wpnonce", "X-Amz-Credential", "authenticity_token", "iban"),
    ],
)
def test_secret_is_never_kept_and_no_site_may_name_it(key):
    assert is_secret(key) and is_always_secret(key)
    assert keep_query(f"/p?a=1&{key}=x&b=2", NONE) == "/p?a=1&b=2"


@pytest.mark.parametrize(
    "key",
    [
        *("authcode", "authkey", "resetkey", "verificationcode", "orderkey", "fullname", "pass"),
        *("code", "key", "auth", "X-Auth", "state", "nonce", "reset", "resetKey", "invite", "sid"),
        *(
            "sig",
            "session",
            "mail",
            "phone",
            "user",
            "first_name",
            "firstName",
            "RelayState",
            "hmac",
        ),
    ],
)
def test_what_may_name_a_page_is_kept_only_where_the_site_says_so(key):
    assert is_secret(key) and not is_always_secret(key)
    assert keep_query(f"/p?{key}=x", NONE) == "/p"
    assert keep_query(f"/p?{key}=x&a=1", frozenset([key])) == f"/p?{key}=x"


@pytest.mark.parametrize(
    "key",
    [
        *(
            "color",
            "page",
            "p",
            "variant",
            "product_id",
            "q",
            "sort",
            "size",
            "lang",
            "tab",
            "view",
        ),
        *("keyword", "encode", "stateless", "monkey", "barcode", "author", "significant", "inside"),
        *(
            "assignee",
            "estate",
            "mailing",
            "passport",
            "stock",
            "compass",
            "cat[0]",
            "farbe",
            "цвет",
        ),
    ],
)
def test_what_only_looks_like_a_secret_is_kept(key):
    assert keep_query(f"/p?{key}=1", NONE) == f"/p?{key}=1"


@pytest.mark.parametrize(
    ("path", "keys", "kept"),
    [
        ("/p", {"a"}, "/p"),
        ("/p?a=1&b=2&a=3", {"a"}, "/p?a=1&a=3"),
        ("/p?A=1", {"a"}, "/p"),
        ("/p?b", {"a"}, "/p"),
        ("/p?a", {"a"}, "/p?a"),
        ("/p?cat%5B%5D=1", {"cat[]"}, "/p?cat%5B%5D=1"),
        ("/p?b=2;a=1", {"a"}, "/p?a=1"),
        ("/p?a=1?b=2", {"b"}, "/p?b=2"),
        ("/p?a=1?token=x", (), "/p?a=1"),
        ("/p#/tea?a=1?token=x", (), "/p#/tea?a=1"),
        ("/p?%2574oken=x&a=1", (), "/p?a=1"),
        ("/p?a=1%26token%3Dx&b=2", (), "/p?b=2"),
        ("/p?next=/reset%3Ftoken%3Dx&b=2", (), "/p?b=2"),
        ("/p?next=https%3A%2F%2Fshop.example%2F%3Fa%3D1%26code%3Dx", {"next"}, "/p"),
        ("/p?next=%252Fcb%2523access_token%253Dx", (), "/p"),
        ("/p?next=/tea%3Fcolor%3Dblue", (), "/p?next=/tea%3Fcolor%3Dblue"),
        ("/p;jsessionid=1A2B", (), "/p"),
        ("/p;JSESSIONID=1A2B/tea;color=blue?a=1", {"a"}, "/p/tea;color=blue?a=1"),
        ("/p;a/b;c", (), "/p;a/b;c"),
        ("/p?%74oken=x", (), "/p"),
        ("/p?a=1&&", (), "/p?a=1"),
        ("/p?", (), "/p"),
        ("/p#/tea", {"a"}, "/p#/tea"),
        ("/p#/tea?a=1&b=2", {"a"}, "/p#/tea?a=1"),
        ("/p?a=0&b=0#/tea?a=1&b=2", {"a"}, "/p?a=0#/tea?a=1"),
        ("/p#/tea&token=x", (), "/p#/tea"),
        ("/p#access_token=x&state=y", (), "/p"),
        ("/p#access_token=x&a=1", (), "/p"),
        ("/p#!/reset?token=x", (), "/p#!/reset"),
    ],
)
def test_path_keeps_the_keys_that_the_site_names_or_else_no_secret(path, keys, kept):
    assert keep_query(path, frozenset(keys)) == kept


def test_key_is_known_however_it_is_written():
    for key in ("%65mail", "e%6Dail", "user%5Bemail%5D", "%E2%80%8Bemail"):
        assert keep_query(clean_path(f"/p?{key}=ada@shop.example"), NONE) == "/p"
