"""Commands over time series."""
