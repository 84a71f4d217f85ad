"""Commands, one file each, in the folder of their chapter; :mod:`logsql.registry` loads them."""
