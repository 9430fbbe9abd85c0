"""The owner's command line, a file for each noun."""
