"""People: accounts, roles, sites, and the one table that says who may open what."""
