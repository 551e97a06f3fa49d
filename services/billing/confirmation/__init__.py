"""BEVESTIGEN: the order/direct-debit confirmation, the mails that carry it, its signature."""
