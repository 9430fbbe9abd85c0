"""Notices: what somebody should hear of, who wants to, and how it gets there (docs/notices.md)."""
