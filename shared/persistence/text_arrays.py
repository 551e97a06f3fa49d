"""Arrays of text on their way to PostgreSQL, in its binary form.

psycopg looks at an array's elements to find out of what it is, each time and in Python; that took
half of the time of a statement that is about one message. Of `statements.Texts` it is known.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain

from psycopg.adapt import Dumper
from psycopg.pq import Format

TEXT_OID, TEXT_ARRAY_OID = 25, 1009
"""PostgreSQL's own numbers of the two types (pg_type.dat)."""

HEAD = struct.Struct("!iiiii").pack
"""How many dimensions, whether anything is null, of which type; how many, and from what on."""

NOTHING = struct.pack("!iii", 0, 0, TEXT_OID)
NULL = struct.pack("!i", -1)
LENGTH = struct.Struct("!i").pack


class TextsDumper(Dumper):
    """Writes `Texts` as PostgreSQL's array_recv reads them."""

    format = Format.BINARY
    oid = TEXT_ARRAY_OID

    encoding = "utf-8"

    def dump(self, obj: Sequence[str | None]) -> bytes:
        """The array's bytes."""
        if not obj:
            return NOTHING
        has_null = None in obj
        texts = [b"" if text is None else text.encode(self.encoding) for text in obj]
        lengths: Iterable[bytes] = map(LENGTH, map(len, texts))
        if has_null:
            lengths = (
                NULL if text is None else length for text, length in zip(obj, lengths, strict=True)
            )
        head = HEAD(1, has_null, TEXT_OID, len(obj), 1)
        return head + b"".join(chain.from_iterable(zip(lengths, texts, strict=True)))


@cache
def texts_dumper(encoding: str) -> type[TextsDumper]:
    """The dumper for connections that speak in this encoding."""
    return type(TextsDumper.__name__, (TextsDumper,), {"encoding": encoding})
