"""Everything the product says about a query: errors, and the catalogue of sentences in both languages."""
