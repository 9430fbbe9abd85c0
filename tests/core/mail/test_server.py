"""A site's mail server as it is set: what is taken, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest

from core.mail.server import (
    MailServerError,
    delete_server,
    find_server,
    has_servers,
    note_server,
    server_state,
    set_server,
)
from core.notices.address_url import Security
from tests.helpers.chat_rows import NOW, add_sites
from tests.helpers.mail_server_fields import server_fields

LOGIN: dict[str, Any] = {"username": "hello@tea.example", "password": "s3cret"}


@pytest.fixture(autouse=True)
def site(db):
    add_sites(db, 7)


def test_server_is_stored_shown_without_its_secrets_and_deleted(db):
    assert server_state(db, 7) is None
    assert not has_servers(db)

    set_server(db, 7, server_fields(587, host=" SMTP.tea.example ", security=Security.TLS, **LOGIN))

    state = server_state(db, 7)
    assert state is not None
    assert (state.host, state.port, state.security) == ("smtp.tea.example", 587, Security.TLS)
    assert (state.from_address, state.from_name) == ("hello@tea.example", "Tea shop")
    assert state.username == "he…"
    assert "s3cret" not in str(state)
    assert has_servers(db)

    delete_server(db, 7)
    assert server_state(db, 7) is None


def test_fault_is_shown_until_it_works_and_forgotten_with_another_server(db):
    set_server(db, 7, server_fields())
    note_server(db, 7, "No answer.", NOW)
    state = server_state(db, 7)
    assert state and (state.fault, state.fault_at, state.tested_at) == ("No answer.", NOW, None)

    note_server(db, 7, "", NOW)
    state = server_state(db, 7)
    assert state and (state.fault, state.fault_at, state.tested_at) == ("", None, NOW)

    set_server(db, 7, server_fields(port=25))
    state = server_state(db, 7)
    assert state and state.tested_at is None


def test_login_is_kept_with_its_server_and_given_to_no_other(db):
    own: dict[str, Any] = {"host": "smtp.tea.example", "security": Security.TLS}
    set_server(db, 7, server_fields(**own, **LOGIN))

    set_server(db, 7, server_fields(587, **own, from_name="Tea"))
    kept = find_server(db, 7)
    assert kept and (kept.username, kept.password) == tuple(LOGIN.values())
    assert kept.from_name == "Tea"

    for other in ({"host": "evil.example"}, {"port": 25}, {"security": Security.STARTTLS}):
        with pytest.raises(MailServerError, match="Write the user name and the password again"):
            set_server(db, 7, server_fields(**{**own, **other}))


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"host": "smtp example"}, "such as smtp.example.com"),
        ({"host": ""}, "such as smtp.example.com"),
        ({"port": 0}, "such as smtp.example.com"),
        ({"host": "8.8.8.8"}, "Choose STARTTLS or TLS"),
        ({"host": "[2001:4860:4860::8888]"}, "Choose STARTTLS or TLS"),
        ({"username": "ann"}, "write both"),
        ({"password": "x"}, "write both"),
        ({"username": "änn", "password": "x"}, "ASCII only"),
        ({"from_address": "hello"}, "write the one from which answers come"),
        ({"from_address": "a@b.example\r\nBcc: c@d.example"}, "write the one from which"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_cure(db, columns, why):
    with pytest.raises(MailServerError, match=why):
        set_server(db, 7, server_fields(**columns))
    assert find_server(db, 7) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "[::1]", "mailpit"])
def test_server_in_a_network_of_its_own_may_be_without_encryption(db, host):
    set_server(db, 7, server_fields(host=host))
    assert find_server(db, 7) is not None
