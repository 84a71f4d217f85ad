"""Commands of streams and event contexts."""
