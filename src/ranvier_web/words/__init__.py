"""Words: every sentence of the pages comes from `knowledge/languages/web`."""
