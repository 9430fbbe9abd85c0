"""The address from which somebody looks at the dashboard."""

from __future__ import annotations

import streamlit as st

from core.client import Clients
from core.settings import settings

_THIS_MACHINE = "127.0.0.1"


def own_network() -> str:
    """The viewer's address, behind the trusted proxies; of IPv6 the network whose addresses a browser changes
    between. "" when it cannot be told."""
    peer = st.context.ip_address or _THIS_MACHINE  # Streamlit says None for this machine
    forwarded = ",".join(st.context.headers.get_all("X-Forwarded-For")).encode("latin-1", "replace")
    clients = Clients(settings().trusted_proxies, warn=lambda _name: None)
    return clients.find(peer, forwarded or None).block
