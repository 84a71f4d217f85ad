"""Documentation that is made from the registries."""
