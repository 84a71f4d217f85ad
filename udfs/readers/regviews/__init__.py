"""What the registry views share: the view, the reader around it, and the shell items inside some values."""
