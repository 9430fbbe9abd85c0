"""The dashboard as an app: Chromium finds nothing that keeps it from being installed, and it fits a phone."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from pages.server.app_files import ICONS
from tests.helpers.agent_browsers import (  # noqa: F401
    OpenChats,
    agent,
    dashboard,
    database,
    engine,
    item,
    new_context,
    open_chats,
    site,
    visit,
)
from tests.helpers.dashboard_chats import visitor_opens
from tests.helpers.screens import keep_both_themes

pytestmark = pytest.mark.timeout(300)


def test_page_can_be_installed_and_opens_on_chats_at_phone_width(
    open_chats: OpenChats, dashboard, engine, site, agent, visit
) -> None:
    visitor_opens(engine, site, visit, "Is it in stock?", attributes={"name": "Ada"})
    page = open_chats(agent, "chats", width=390, height=844)
    expect(item(page, "Ada")).to_be_visible()
    expect(page.locator('link[rel="manifest"]')).to_be_attached()

    devtools = page.context.new_cdp_session(page)
    found = devtools.send("Page.getAppManifest")
    assert found["errors"] == []
    manifest = json.loads(found["data"])
    assert (manifest["start_url"], manifest["display"]) == ("/chats", "standalone")
    # A session without a profile on the disk can install nothing: that is all that is wrong.
    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep_both_themes(page, "app-phone-chats", whole=False)


def test_manifest_and_icons_need_no_session(new_context, dashboard) -> None:
    asked = new_context().request
    for path in ("/app.webmanifest", *ICONS):
        reply = asked.get(f"{dashboard}{path}")
        assert reply.status == 200
        kind = "image/png" if path in ICONS else "application/manifest+json"
        assert reply.headers["content-type"] == kind
