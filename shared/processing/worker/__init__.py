"""What runs: the consumer, the periodic tasks, the publisher, the watchdog, the pauses."""
