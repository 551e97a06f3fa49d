"""How staff sign in with their own organisation, by OpenID Connect."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.base.addresses import NotAnAddress, read_web_address

SAFE_FORM = "write an https address; http is taken on this machine alone (127.0.0.1)"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_safe_address(url: str) -> bool:
    """Whether nobody on the way can read or change what is said there."""
    try:
        address = read_web_address(url, SAFE_FORM)
    except NotAnAddress:
        return False
    return address.scheme == "https" or address.host in LOOPBACK


def _safe_or_none(url: str) -> str:
    if url and not is_safe_address(url):
        raise ValueError(SAFE_FORM)
    if "?" in url or "#" in url:
        raise ValueError("an issuer's address ends with its path (OpenID Connect Discovery 1.0)")
    return url


class StaffSettings(BaseSettings):
    """The provider that knows the staff, and by which claims it tells role and office.

    Without an issuer staff sign in by `stappenplan staff link` alone.
    """

    model_config = SettingsConfigDict(
        env_prefix="STAPPENPLAN_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    oidc_issuer: Annotated[str, AfterValidator(_safe_or_none)] = Field(
        "", description="the provider's address, as it stands in its tokens; none: links alone"
    )
    oidc_client_id: str = Field("", validate_default=True)
    oidc_client_secret: str = Field(
        "", repr=False, description="none for a client that PKCE alone vouches for"
    )
    oidc_role_claim: str = Field("stappenplan_role", min_length=1)
    oidc_office_claim: str = Field("stappenplan_office", min_length=1)

    @field_validator("oidc_client_id")
    @classmethod
    def _named_to_the_issuer(cls, client_id: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not client_id:
            raise ValueError("set it to the name by which the provider of OIDC_ISSUER knows us")
        return client_id

    @property
    def has_provider(self) -> bool:
        """Whether staff may sign in with their own organisation."""
        return bool(self.oidc_issuer)
