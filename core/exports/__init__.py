"""What the owner takes out of the database for other programs: a table of a site and a time, as a file."""
