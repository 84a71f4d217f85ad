"""Real servers on loopback for tests of what goes over a network. ``fixtures.py`` lists what a test may ask for."""
