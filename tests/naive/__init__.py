"""A slow, plain-Python implementation of the pipe language, written from its specification alone.

It shares no code with the translator; comparing the two is what it is for. ``run`` returns the rows, whether their
order is defined, and every reason why the specification leaves the result open.
"""

from .errors import NaiveError
from .pipeline import Result, run
from .values import Ip

__all__ = ["Ip", "NaiveError", "Result", "run"]
