"""Running plans: the only room that holds a connection. Sessions, streaming results, cancel, limits, ledger, policy."""
