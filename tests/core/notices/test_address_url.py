"""Addresses in Apprise's notation, and what may be shown of them."""

from __future__ import annotations

import pytest

from core.notices.address_url import (
    MailFields,
    Security,
    check_url,
    is_webhook,
    mail_url,
    masked,
    ntfy_url,
    webhook_url,
)
from core.notices.kinds import NoticeError

MAIL = MailFields("ann@tea.example", "monitor@tea.example", "smtp.tea.example", 587, Security.TLS)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            webhook_url("https://hooks.slack.com/services/T0/B0/abcdefghijkl"),
            "Webhook hooks.slack.com/…/ab…",
        ),
        (webhook_url("http://chat.example:8065/hooks/secret"), "Webhook chat.example:8065/…/…"),
        (ntfy_url("https://ntfy.sh", "secret-topic", "tk_secret"), "ntfy ntfy.sh/se…"),
        (
            mail_url(MAIL._replace(username="shop", password="secret")),
            "E-mail to a…@tea.example by smtp.tea.example",
        ),
        ("tgram://123456789:secretsecret/12345678901", "tgram://…/12…"),
        ("slack://T012345678/B0/secretsecret", "slack://…/se…"),
        ("discord://secretsecret", "discord://…/…"),
    ],
)
def test_of_an_address_no_secret_is_shown(url, shown):
    assert masked(url) == shown


@pytest.mark.parametrize("word", ["secret", "tk_", "shop"])
def test_mask_has_neither_password_nor_token(word):
    urls = [
        mail_url(MAIL._replace(username="shop", password="secret")),
        ntfy_url("https://ntfy.example", "a-topic-name", "tk_secret"),
        "json://shop:secret@host.example/secret",
    ]
    assert not [masked(url) for url in urls if word in masked(url)]


def test_webhook_keeps_what_its_address_asks_for():
    url = webhook_url("https://chat.example/hooks/x?thread=1")
    assert url.startswith("jsons://chat.example/hooks/x?")
    assert "-thread=1" in url
    assert is_webhook(url)
    assert not is_webhook("jsons://chat.example/hooks/x")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: webhook_url("ftp://x.example/"), "no address"),
        (lambda: webhook_url("https://"), "no address"),
        (lambda: webhook_url("https://shop:secret@chat.example/"), "no address"),
        (lambda: ntfy_url("https://ntfy.sh", "a/b"), "The topic 'a/b' cannot be used"),
        (lambda: mail_url(MAIL._replace(recipient="ann")), "'ann' is no e-mail address"),
        (lambda: mail_url(MAIL._replace(host="a b")), "The mail server 'a b' cannot be used"),
        (lambda: mail_url(MAIL._replace(password="ß")), "ASCII"),
        (lambda: check_url("tgram"), "no address as Apprise writes it"),
        (lambda: check_url("https://chat.example/x"), "choose Webhook"),
        (lambda: check_url("syslog://"), "no address as Apprise writes it"),
        (lambda: check_url("file:///etc/x"), "tells only this machine"),
        (lambda: check_url("gio://x"), "tells only this machine"),
        (lambda: check_url("json://shop.example/,syslog://"), "several addresses"),
        (lambda: check_url(f"tgram://{'x' * 2000}"), "too long"),
    ],
)
def test_what_is_no_address_is_refused_with_the_cure(make, said):
    with pytest.raises(NoticeError, match=said):
        make()
