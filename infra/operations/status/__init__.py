"""One customer as activation knows them, for whoever asks at the command line."""
