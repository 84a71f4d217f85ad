"""What runs for a command beside its SQL: outputs, storing, transactions, keyword search, geoip."""
