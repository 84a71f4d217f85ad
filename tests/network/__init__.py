"""What reaches other machines: the rules of who may be reached, and each command against real servers."""
