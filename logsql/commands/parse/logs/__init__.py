"""Named log parsers of ``parse NAME``, one file per family; :mod:`logsql.registry` loads them."""
