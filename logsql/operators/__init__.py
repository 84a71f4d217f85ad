"""What several commands share: grouping, joining, uniting, cross tables, running state, models."""
