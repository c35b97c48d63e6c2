"""The pages of the clinic, one module per page. A form becomes an action, an answer becomes a page."""
