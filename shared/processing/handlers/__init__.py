"""What a handler is: the messages it takes, what it needs loaded, the table it stands in."""
