"""Every parser of what others send, and the property that is tested of it. A new one has to be added here."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import core.enrich

ROOT = Path(__file__).parents[2]
VISITORS = "tests/fuzz/test_parsers_of_visitors.py"
OWNERS = "tests/fuzz/test_parsers_of_owners.py"
DASHBOARD = "tests/fuzz/test_parsers_of_the_dashboard.py"
ENRICH = "tests/core/enrich"
PARSERS = {
    # what a visitor's browser sends
    "collector.beacon.wire.read_beacon": f"{VISITORS}::test_any_body_is_a_beacon_or_malformed",
    "collector.beacon.hit.make_hit": f"{VISITORS}::test_any_beacon_becomes_a_clean_hit_or_is_refused",
    "collector.chat.request.read_request": f"{VISITORS}::test_any_body_is_a_chat_request_or_malformed",
    "collector.http.json_body.decode": f"{VISITORS}::test_any_body_is_a_beacon_or_malformed",
    "collector.origin.read_origin": f"{VISITORS}::test_an_origin_is_read_once_and_for_all",
    "core.client.Clients.find": f"{VISITORS}::test_who_asks_is_an_address_or_nobody",
    "core.enrich.address.parse_address": f"{VISITORS}::test_an_address_is_read_as_it_is_written",
    "core.enrich.bot.is_bot": f"{ENRICH}/test_bot.py::test_nothing_raises",
    "core.enrich.browser.name_browser": f"{VISITORS}::test_a_browser_is_named_in_few_words",
    "core.enrich.country.country_of_code": f"{ENRICH}/test_country.py::test_nothing_raises",
    "core.enrich.country.country_of_time_zone": f"{ENRICH}/test_country.py::test_nothing_raises",
    "core.enrich.country.country_name": f"{ENRICH}/test_country.py::test_nothing_raises",
    "core.enrich.country.flag": f"{ENRICH}/test_country.py::test_nothing_raises",
    "core.enrich.device.hide_model": f"{VISITORS}::test_a_browser_is_named_in_few_words",
    "core.enrich.invisible.drop_direction": f"{VISITORS}::test_what_is_loose_is_dropped_once_and_for_all",
    "core.enrich.invisible.drop_loose": f"{VISITORS}::test_what_is_loose_is_dropped_once_and_for_all",
    "core.enrich.invisible.escape_direction": f"{VISITORS}::test_what_is_loose_is_dropped_once_and_for_all",
    "core.enrich.page_context.find_context": f"{VISITORS}::test_any_page_has_words_and_one_context",
    "core.enrich.page_context.context_of_url": f"{ENRICH}/test_page_context.py::test_nothing_raises",
    "core.enrich.page_context.make_rule": f"{VISITORS}::test_a_context_rule_is_kept_as_it_was_read",
    "core.enrich.page_context.path_fits": f"{ENRICH}/test_page_context.py::test_nothing_raises",
    "core.enrich.page_url.query_of_url": f"{ENRICH}/test_page_context.py::test_nothing_raises",
    "core.enrich.page_url.read_page_url": f"{VISITORS}::test_any_page_has_words_and_one_context",
    "core.enrich.query_keys.is_always_secret": f"{VISITORS}::test_a_query_keeps_what_it_may_and_nothing_secret",
    "core.enrich.query_keys.is_secret": f"{VISITORS}::test_a_query_keeps_what_it_may_and_nothing_secret",
    "core.enrich.query_keys.keep_query": f"{VISITORS}::test_a_query_keeps_what_it_may_and_nothing_secret",
    "core.enrich.readable_path.readable_path": f"{ENRICH}/test_readable_path.py::test_readable_path_stays_as_it_is",
    "core.enrich.source.find_source": f"{VISITORS}::test_a_source_is_a_clean_label",
    "core.enrich.source_table.plain_name": f"{VISITORS}::test_a_source_is_a_clean_label",
    "core.enrich.spider.is_spider": f"{ENRICH}/test_bot.py::test_nothing_raises",
    "core.enrich.text.clean": f"{ENRICH}/test_text.py::test_any_text_can_be_stored",
    "core.enrich.text.clean_lines": f"{ENRICH}/test_text.py::test_any_text_can_be_stored",
    "core.enrich.text.clean_path": f"{ENRICH}/test_text.py::test_any_text_can_be_stored",
    "core.enrich.text.clean_referrer": f"{ENRICH}/test_text.py::test_any_text_can_be_stored",
    "core.enrich.this_machine.is_direct": f"{VISITORS}::test_whether_this_machine_is_named_is_always_known",
    "core.enrich.this_machine.is_loopback": f"{VISITORS}::test_whether_this_machine_is_named_is_always_known",
    "core.enrich.this_machine.names_this_machine": f"{VISITORS}::test_whether_this_machine_is_named_is_always_known",
    "core.enrich.url.is_ip_host": f"{VISITORS}::test_a_url_is_split_or_is_none",
    "core.enrich.url.readable_host": f"{VISITORS}::test_a_url_is_split_or_is_none",
    "core.enrich.url.split_host": f"{VISITORS}::test_a_url_is_split_or_is_none",
    "core.enrich.url.split_url": f"{VISITORS}::test_a_url_is_split_or_is_none",
    "core.enrich.user_agent.read_user_agent": f"{VISITORS}::test_a_browser_is_named_in_few_words",
    # what is stored of it, and comes out again
    "core.frames.csv_export.csv_of": f"{VISITORS}::test_a_csv_has_each_cell_and_runs_none",
    "core.log_format.JsonFormatter.format": f"{VISITORS}::test_a_line_of_the_json_log_is_one_object",
    "core.visits.labels.visitor_label": f"{VISITORS}::test_every_visitor_has_a_name",
    "core.visits.labels.visitor_name": f"{VISITORS}::test_every_visitor_has_a_name",
    "core.visits.money.money_label": f"{VISITORS}::test_an_amount_is_shown_or_is_nothing",
    "core.visits.tab_state.read_memory": f"{VISITORS}::test_a_visits_memory_comes_back_as_it_was",
    # what owners and agents type, and the environment says
    "core.accounts.accounts.check_email": f"{OWNERS}::test_an_address_is_folded_once_and_for_all",
    "core.accounts.accounts.folded_email": f"{OWNERS}::test_an_address_is_folded_once_and_for_all",
    "core.accounts.passwords.check_password": f"{OWNERS}::test_a_password_is_taken_as_it_is_or_refused",
    "core.accounts.provisioning.is_allowed": f"{OWNERS}::test_an_address_is_folded_once_and_for_all",
    "core.agents.check_agent_name": f"{OWNERS}::test_a_name_is_one_clean_line_and_a_text_clean_lines",
    "core.chat.templates.check_length": f"{OWNERS}::test_a_name_is_one_clean_line_and_a_text_clean_lines",
    "core.chat.templates.check_text": f"{OWNERS}::test_a_name_is_one_clean_line_and_a_text_clean_lines",
    "core.own_visits.own_finder": f"{VISITORS}::test_a_network_is_read_as_it_is_written",
    "core.own_visits.own_link": f"{OWNERS}::test_the_domain_of_an_address_is_one",
    "core.own_visits.read_network": f"{VISITORS}::test_a_network_is_read_as_it_is_written",
    "core.own_visits.website_address": f"{OWNERS}::test_a_domain_allows_its_own_pages",
    "core.settings.settings": f"{OWNERS}::test_a_setting_is_used_or_refused_with_its_cure",
    "core.site_tag.site_tag": f"{OWNERS}::test_a_tag_is_one_tag_whatever_keys_it_has",
    "core.sites.check_context_rules": f"{OWNERS}::test_context_rules_are_kept_as_they_were_read",
    "core.sites.check_domain": f"{OWNERS}::test_a_domain_allows_its_own_pages",
    "core.sites.check_domains": f"{OWNERS}::test_a_domain_allows_its_own_pages",
    "core.sites.check_key": f"{OWNERS}::test_a_name_is_one_clean_line_and_a_text_clean_lines",
    "core.sites.check_name": f"{OWNERS}::test_a_name_is_one_clean_line_and_a_text_clean_lines",
    "core.sites.check_own_networks": f"{OWNERS}::test_an_own_network_is_kept_as_it_was_read",
    "core.sites.check_query_keys": f"{OWNERS}::test_a_tag_is_one_tag_whatever_keys_it_has",
    "core.sites.check_time_zone": f"{OWNERS}::test_a_time_zone_that_is_taken_can_be_used",
    "core.sites.domain_of_address": f"{OWNERS}::test_the_domain_of_an_address_is_one",
    "pages.sites.saving.lines_of": f"{OWNERS}::test_a_name_is_one_clean_line_and_a_text_clean_lines",
    # what browsers, proxies and issuers send to the dashboard
    "core.random_id.is_id": f"{DASHBOARD}::test_no_text_from_an_address_breaks_a_look_up",
    "pages.live.row_id.visit_of": f"{DASHBOARD}::test_a_row_is_of_a_site_that_is_shown_or_of_none",
    "pages.live.view.TableView.updated": f"{DASHBOARD}::test_whatever_a_browser_tells_of_its_table_is_a_view",
    "pages.live.view.view_in": f"{DASHBOARD}::test_a_view_stands_in_the_address_as_it_was_read",
    "pages.server.actions.perform": f"{DASHBOARD}::test_what_is_no_action_is_malformed",
    "pages.server.one_session.with_one_session": f"{DASHBOARD}::test_of_several_sessions_the_signed_one_counts",
    "pages.server.own_host.is_own_host": f"{DASHBOARD}::test_no_strange_host_is_the_dashboards_own",
    "pages.server.own_host.is_own_origin": f"{DASHBOARD}::test_no_strange_host_is_the_dashboards_own",
    "pages.server.session_book.unsigned": f"{DASHBOARD}::test_only_what_was_signed_is_a_session",
    "pages.server.session_cookie.next_path": f"{DASHBOARD}::test_signing_in_leads_nowhere_else",
    "pages.sign_in.device_cookie.device_of": f"{DASHBOARD}::test_only_what_was_signed_is_a_session",
    "pages.sign_in.oidc.identity_in": f"{DASHBOARD}::test_claims_name_somebody_or_are_denied",
    "pages.sign_in.oidc_attempt.attempt_of": f"{DASHBOARD}::test_a_callback_belongs_to_the_browser_that_began",
    "pages.sign_in.oidc_issuer.claim_at": f"{DASHBOARD}::test_claims_name_somebody_or_are_denied",
    "pages.sign_in.posted_form.form_post": f"{DASHBOARD}::test_a_form_has_fields_of_text",
}
"""The function, and the test that gives it whatever there is. The links in messages are found in browsers
(`embed/chat/text.js`): test_a_message_is_shown_as_it_was_typed."""


@pytest.mark.parametrize("parser", PARSERS)
def test_listed_parser_exists_and_is_tested(parser: str) -> None:
    assert callable(found(parser))
    file, _, test = PARSERS[parser].partition("::")
    assert f"def {test}(" in (ROOT / file).read_text("utf-8")
    assert (
        "@given("
        in (ROOT / file).read_text("utf-8").partition(f"def {test}(")[0].rpartition("def ")[2]
    )


def test_every_reader_of_texts_in_enrichment_is_listed() -> None:
    missing = [name for name in readers() if name not in PARSERS]
    assert missing == [], "name the property that holds of it, whatever it is given"


def found(name: str) -> object:
    """The function or method of this name."""
    parts = name.split(".")
    for at in range(len(parts) - 1, 0, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:at]))
        except ModuleNotFoundError:
            continue
        for part in parts[at:]:
            value = getattr(value, part)
        return value
    raise LookupError(name)


def readers() -> list[str]:
    """The public functions of enrichment that are given a text."""
    names: list[str] = []
    for module in pkgutil.iter_modules(core.enrich.__path__, "core.enrich."):
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            function = inspect.unwrap(value) if callable(value) else value
            if inspect.isfunction(function) and function.__module__ == module.name:
                takes = [
                    each.annotation for each in inspect.signature(function).parameters.values()
                ]
                if not name.startswith("_") and {str, "str"} & set(map(_plain, takes)):
                    names.append(f"{module.name}.{name}")
    return names


def _plain(annotation: object) -> object:
    return annotation if isinstance(annotation, type | str) else str(annotation)
