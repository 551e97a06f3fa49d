"""What two services need of the trade: the catalogue, accounts, contact data, the calendar."""
