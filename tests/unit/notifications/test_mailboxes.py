"""The address in a mail's header, however its domain was kept."""

import pytest

from shared.notifications.senders.outgoing import mailbox, masked_address


@pytest.mark.parametrize(
    ("kept", "mailed"),
    [
        ("info@straße-proef.example", "info@xn--strae-proef-y6a.example"),
        ("info@xn--strae-proef-y6a.example", "info@xn--strae-proef-y6a.example"),
        ("info@café.example", "info@xn--caf-dma.example"),
        ("info@korenaar.example", "info@korenaar.example"),
    ],
)
def test_a_mail_goes_to_the_domain_that_its_owner_registered(kept: str, mailed: str) -> None:
    # Also one that was kept before domains were kept as the DNS has them (IDNA 2008).
    assert mailbox(kept).addr_spec == mailed


@pytest.mark.parametrize("kept", ["info@☃.example", "jürgen@korenaar.example", "info@", "@x"])
def test_what_no_server_takes_is_no_address(kept: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        mailbox(kept)


@pytest.mark.parametrize("local_part", ["jan", "o'hara", "a.b+c", '"j d"'])
def test_of_an_address_its_first_character_and_its_domain_are_shown(local_part: str) -> None:
    address = f"{local_part}@bakkerij.example"
    assert masked_address(address) == f"{local_part[0]}***@bakkerij.example"
