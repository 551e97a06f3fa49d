"""What two services need of the trade: the catalogue, accounts, the calendar."""
