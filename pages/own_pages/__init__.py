"""Pages that the owner has written, in a folder outside of the program: docs/charts.md."""
