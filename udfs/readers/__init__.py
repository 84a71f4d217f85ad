"""File readers: a path and the wanted columns in, an iterator of Arrow record batches out."""
