"""A local stand-in for the outside providers: the tests' network, and the newcomer's demo."""
