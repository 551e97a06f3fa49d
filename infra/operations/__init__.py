"""What operators do, each chore with its command beside it."""
