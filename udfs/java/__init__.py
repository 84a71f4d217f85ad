"""Behaviour of Java in Python: regular expressions, formats, dates, zones, code points."""
