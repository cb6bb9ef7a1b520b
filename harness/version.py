"""The version of the distribution, and its only source."""

__version__ = "0.2.0"
