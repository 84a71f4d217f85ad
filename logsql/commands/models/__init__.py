"""Commands that train or apply a model, or fit one to the rows."""
