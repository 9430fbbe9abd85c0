"""The version of this Visitor Monitor."""

VERSION = "0.1.0"
