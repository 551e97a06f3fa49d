"""What everything stands on: errors, the named crash points, the fields of a log line."""
