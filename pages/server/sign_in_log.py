"""The log of who signs in and out: facts with the account's id. No address, no e-mail, no name."""

from __future__ import annotations

import logging

sign_in_log = logging.getLogger("pages.sign_in")
"""What is below it in pages/sign_in/ writes there too."""
