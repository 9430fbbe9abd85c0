"""Accounts: who can sign in, what they may do, their passwords, sessions and links."""
