"""Mail to visitors: the answers to messages that were left, by the site's own mail server (docs/chat.md)."""
