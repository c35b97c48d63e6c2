"""The network: the only room that opens a connection to another machine.

It takes an address that a person configured and gives back bytes or JSON with the day they were fetched. It knows retries,
paging and tokens, and nothing of medicine: what an answer means is for `ranvier.exchange` to say. Only the command line and
the web use it.
"""

from ranvier_net.client import (
    Answer,
    Client,
    NetworkError,
    NotAllowedError,
    NotUnderstoodError,
    Policy,
    RefusedError,
    TooLargeError,
    UnreachableError,
    hosts_of,
    origin,
)
from ranvier_net.paging import Archive, Ask, pages
from ranvier_net.registries import PAPERS, TRIALS, papers, trials

__all__ = [
    "PAPERS",
    "TRIALS",
    "Answer",
    "Archive",
    "Ask",
    "Client",
    "NetworkError",
    "NotAllowedError",
    "NotUnderstoodError",
    "Policy",
    "RefusedError",
    "TooLargeError",
    "UnreachableError",
    "hosts_of",
    "origin",
    "pages",
    "papers",
    "trials",
]
