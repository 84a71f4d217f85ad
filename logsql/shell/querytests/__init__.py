"""``logsql test``: queries whose results are written down beside them (docs/query-tests.md).

``form`` reads and writes the file of a test, ``rows`` compares rows, ``running`` runs one test, ``report`` tells how it
went as text and JUnit XML, ``verb`` is what the command line calls.
"""
