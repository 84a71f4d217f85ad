"""Settings that live outside the working folder: what queries may reach, and the profiles of directories, databases
and servers. Nothing here opens a connection, and nothing is read before a command or an option asks for it.
"""
