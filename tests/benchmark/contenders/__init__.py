"""The same work, as each contender's own documentation advises to write it.

Each runs in a process of its own and learns by environment variables where broker and database
are. They share nothing with the product but the event's definition, so that all validate alike.
"""
