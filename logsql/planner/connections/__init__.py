"""What commands may ask of other machines, one protocol a file: requests over HTTP, directories, databases, names,
mail, files on servers. The connectors behind them are in ``logsql/connectors``, which no command imports.
"""
