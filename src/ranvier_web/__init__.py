"""The web application: a thin door for people who never type a command.

A form becomes an action, an answer becomes a page. No number with a meaning stands here: the pages ask `decision` and show
what `report` says of the answer. It enters the science by `decision`, `protection`, `record`, `evidence`, `report`,
`exchange` and `ground`.
"""
