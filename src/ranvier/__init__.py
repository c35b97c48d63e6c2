"""ranvier: decision support for the care of multifocal motor neuropathy (MMN).

It supports the decisions of professionals and never replaces them. It is not a medical device and has not been cleared.
"""

from importlib.metadata import version

__version__ = version("ranvier")
