"""How the services are run: command line, composition, topology, simulators."""
