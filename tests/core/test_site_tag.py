"""The tag of a site."""

from core.site_tag import site_tag, tag_without_attributes
from core.tables import Site

HOST = "https://monitor.example"
SCRIPT = f"{HOST}/embed/visitor-monitor.js"


def test_tag_has_the_key_and_no_more():
    tea = Site(key="tea", name="Tea", query_keys=[])

    assert site_tag(tea, HOST) == f'<script async src="{SCRIPT}" data-site="tea"></script>'
    assert tag_without_attributes(tea, HOST) == f'<script async src="{SCRIPT}?site=tea"></script>'


def test_tag_has_the_query_keys_of_the_site():
    tea = Site(key="tea", name="Tea", query_keys=["color", "cat[]"])

    assert f'{SCRIPT}" data-site="tea" data-query="color,cat[]">' in site_tag(tea, HOST)
    assert f'"{SCRIPT}?site=tea&query=color,cat%5B%5D">' in tag_without_attributes(tea, HOST)
