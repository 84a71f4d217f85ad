"""Event contexts: what rows with one key have in common, until its time is over (live.md section 5)."""
