"""The address of a broker, as it is set: the embedded one, or RabbitMQ's, of a cluster several."""

from shared.base.addresses import Address, NotAnAddress, read_address, split_addresses

EMBEDDED = "memory://"
FORM = (
    "write it as amqp://user:password@host:5672/vhost (amqps:// for TLS), of a cluster several "
    "with commas, or memory://"
)
MANAGEMENT_FORM = "write it as http(s)://user:password@host:15672"


def read_broker_url(url: str) -> list[Address]:
    """RabbitMQ's addresses, in their order; none for the embedded broker.

    Raises:
        NotAnAddress: one of them is none, or can be read in two ways; the text holds nothing of it.
    """
    if url.strip().lower().rstrip("/") == "memory:":
        return []
    return [_read(text) for text in split_addresses(url)]


def normal_broker_url(url: str) -> str:
    """The same, written as everybody here reads it.

    Raises:
        NotAnAddress: as `read_broker_url`.
    """
    addresses = read_broker_url(url)
    if not addresses:
        return EMBEDDED
    texts = (text.partition("://")[2] for text in split_addresses(url))
    return ",".join(
        f"{address.scheme}://{text}" for address, text in zip(addresses, texts, strict=True)
    )


def _read(text: str) -> Address:
    address = read_address(text, ("amqp", "amqps"), FORM)
    if not address.host or "," in address.host:
        raise NotAnAddress(f"each address has one host, and begins with its scheme; {FORM}")
    if address.user and address.password is None:
        raise NotAnAddress(f"the password is missing: user and password have a : between; {FORM}")
    if "/" in address.path[1:] or "," in address.path:
        raise NotAnAddress(f"in the virtual host's name write / as %2F and , as %2C; {FORM}")
    return address
