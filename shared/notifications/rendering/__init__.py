"""From a template and its values to a mail or a text message."""
