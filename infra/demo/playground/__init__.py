"""The first run: a page from which everybody's part can be played, on a machine of one's own.

Six doors, customers to send through, what goes on behind, a mailbox, and things to break. It is
there only on the embedded default, for who sits at the machine itself.
"""
