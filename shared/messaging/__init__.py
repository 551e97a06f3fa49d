"""How events travel: one Protocol (`bus`), two adapters (`rabbitmq`, `embedded`), the topology."""
