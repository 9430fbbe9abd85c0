"""Whether the installation is well: what is measured, and what is wrong with it."""
