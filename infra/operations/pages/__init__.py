"""`/operations`: pages for those who run the product, of every service that runs here."""
