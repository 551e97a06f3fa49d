"""Events of outside systems, published as these would."""
