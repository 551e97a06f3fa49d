"""What is asked of the addresses among the settings, beside those of mail server and database."""

from dataclasses import replace
from ipaddress import ip_address

from shared.base.addresses import HOST, NotAnAddress, read_address, read_web_address
from shared.messaging.addresses import MANAGEMENT_FORM, read_broker_url

EACH_SERVICE = "{service}"
"""Stands in the broker's address for the user's name, where everybody is a user of the broker."""

WEB_FORM = "write the whole address, as https://stappenplan.example"
USUAL_PORTS = {"https": 443, "http": 80}
HOST_FORM = "write the address alone on which to listen, such as 127.0.0.1, 0.0.0.0 or ::1"


def web_address(url: str) -> str:
    """An address that people are led to, or none."""
    if url.strip():
        read_web_address(url, WEB_FORM)
    return url.strip()


def own_address(url: str) -> str:
    """Ours, written as browsers write an origin (RFC 6454): it is compared with theirs."""
    if not url.strip():
        return ""
    address = read_web_address(url, WEB_FORM)
    if address.query or "#" in url or "?" in url:
        raise NotAnAddress(f"nothing stands behind its path; {WEB_FORM}")
    if address.port == USUAL_PORTS[address.scheme]:
        address = replace(address, port=None)
    return address.origin + address.path


def own_host(host: str) -> str:
    """Where this process listens: a host's name, or an IP address without brackets."""
    host = host.strip()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in bare:
        try:
            return str(ip_address(bare))
        except ValueError:
            raise NotAnAddress(HOST_FORM) from None
    try:
        # As the resolver will have it, which takes no name that the DNS could not hold.
        bare.encode("idna")
    except UnicodeError:
        raise NotAnAddress(HOST_FORM) from None
    if bare != host or not HOST.fullmatch(bare) or set(bare) & set(",{}"):
        raise NotAnAddress(HOST_FORM)
    return bare


def http_address(host: str, port: int) -> str:
    """Where a process answers: a host with colons stands in brackets (RFC 3986, 3.2.2)."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def management_address(url: str) -> str:
    """That of RabbitMQ's management interface, or none."""
    if url.strip() and not read_address(url, ("http", "https"), MANAGEMENT_FORM).host:
        raise NotAnAddress(f"the host is missing; {MANAGEMENT_FORM}")
    return url.strip()


def names_each_user(broker_url: str) -> bool:
    """Whether everybody is the user of their own name at the broker, by each of its addresses.

    Raises:
        ValueError: by some of them they are, by others they are not.
    """
    own = {address.user == EACH_SERVICE for address in read_broker_url(broker_url)}
    if len(own) > 1:
        raise ValueError(
            "by one address everybody has a user of their own, by another all have one: write "
            "{service} where the user's name stands in each of them, or in none"
        )
    return own == {True}
