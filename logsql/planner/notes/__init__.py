"""Rules that tell, while a query is planned, what its types and constants give away: rows and the tests for them.

Each rule is a function that a lowering calls where it knows the types. It says a note or nothing, changes nothing, and
is silent where a type is open (mixed values, fields known only when data is read).

``names`` and ``fields`` look at names in arguments and in expressions, ``texts`` at the query as it is written. A row
of the catalogue stands beside its rule; a rule about one command, with its row, in that command's file.
"""
