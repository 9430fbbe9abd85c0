"""Visits: what a visit is, how each event moves it, and the questions about it."""
