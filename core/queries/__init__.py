"""Questions to the database, one function each. The caller owns the transaction."""
