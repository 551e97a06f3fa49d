"""The settings: environment variables with the prefix STAPPENPLAN_, as the contract names them."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.base.errors import WrongSettings
from shared.events.billing import Scheme
from shared.host.addresses import (
    http_address,
    management_address,
    names_each_user,
    own_address,
    own_host,
    web_address,
)
from shared.host.keys import kept_key, named, read_key, read_keys, usable_folder
from shared.host.senders import (
    creditor_identifier,
    mail_recipient,
    mail_sender,
    on_every_mandate,
    text_sender,
)
from shared.host.staff_settings import StaffSettings
from shared.links import PageLinks
from shared.messaging.addresses import EMBEDDED, normal_broker_url, read_broker_url
from shared.notifications.senders.smtp_url import read_smtp_url
from shared.persistence.addresses import MOST_CONNECTIONS, check_database_url

OnEveryMandate = Annotated[str, AfterValidator(on_every_mandate)]


class Creditor(BaseSettings):
    """Who collects: the vendor, as it stands on the order/direct-debit confirmation."""

    model_config = SettingsConfigDict(env_prefix="STAPPENPLAN_CREDITOR_", frozen=True)

    name: OnEveryMandate = "KING Software B.V. (voorbeeld)"
    address: OnEveryMandate = "Voorbeeldweg 1"
    postcode: OnEveryMandate = "1234 AB"
    city: OnEveryMandate = "Voorbeeldstad"
    country: OnEveryMandate = "Nederland"
    identifier: Annotated[str, AfterValidator(creditor_identifier)] = "NL69ZZZ123456780000"
    return_address: str = "Antwoordnummer 1234, 1230 VB Voorbeeldstad"
    fax: str = "+31 20 000 00 00"
    email: Annotated[str, AfterValidator(mail_recipient)] = "orders@king.example"
    phone: str = "+31 20 000 00 01"


def _or_zero(value: object) -> object:
    """A port that is set to nothing is none, as one that is not set."""
    return 0 if value == "" else value


def _in_small(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _in_capitals(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything that can be set, with defaults that are safe on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="STAPPENPLAN_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    broker_url: Annotated[str, AfterValidator(normal_broker_url)] = Field(
        EMBEDDED,
        repr=False,
        description="memory:// (embedded) or amqp(s)://user:pw@host:5672/vhost; comma-separated "
        "for a cluster; {service} becomes the service's name",
    )
    broker_heartbeat_seconds: int = Field(15, ge=2, le=300)
    broker_silence_seconds: int = Field(
        90,
        ge=1,
        description="a service that has not heard its broker for so long says so on /healthz, so "
        "that whoever runs it can restart it: well above what a restart of the broker or a lost "
        "connection takes",
    )
    management_url: Annotated[str, AfterValidator(management_address)] = Field(
        "",
        repr=False,
        description="http(s)://user:pw@host:15672: RabbitMQ's management, for `topology apply`, "
        "`office add` and the doctor alone",
    )
    database_url: Annotated[str, AfterValidator(check_database_url)] = Field(
        "sqlite:///{data_dir}/{service}.db",
        repr=False,
        description="one database per service; {service} becomes its name, {data_dir} DATA_DIR",
    )
    database_pool: int = Field(
        MOST_CONNECTIONS,
        ge=4,
        description="how many connections each service of a process opens to PostgreSQL at most",
    )
    data_dir: Annotated[Path, BeforeValidator(named), AfterValidator(usable_folder)] = Path(".data")
    catalogue: Annotated[Path, BeforeValidator(named)] = (
        Path(__file__).parents[2] / "infra" / "catalogue.toml"
    )
    token_key: str = Field(
        "",
        repr=False,
        description="at least 32 bytes; several with commas: the first signs, all verify; made "
        "once in the data folder when not set",
    )
    seal_key: str = Field(
        "",
        repr=False,
        description="at least 32 bytes, never replaced: for seals on paper and derived ids; kept "
        "in the data folder when not set",
    )
    public_url: Annotated[str, AfterValidator(own_address)] = Field(
        "", description="the address in mails; from HTTP_HOST and HTTP_PORT"
    )
    http_host: Annotated[str, AfterValidator(own_host)] = "127.0.0.1"
    http_port: int = Field(8080, ge=0, le=65535)
    health_port: Annotated[int, BeforeValidator(_or_zero)] = Field(
        0,
        ge=0,
        le=65535,
        description="a port for /healthz, /readyz and /metrics alone; 0: with the rest",
    )
    mail: Annotated[Literal["file", "ses", "smtp"], BeforeValidator(_in_small)] = "file"
    sms: Annotated[Literal["file", "sns"], BeforeValidator(_in_small)] = "file"
    ses_configuration_set: str = ""
    smtp_url: str = Field(
        "",
        validate_default=True,
        repr=False,
        description="with MAIL=smtp: smtp://user:password@host:587 (STARTTLS) or smtps://…:465",
    )
    mail_from: Annotated[str, AfterValidator(mail_sender)] = (
        "iMUIS Online <noreply@stappenplan.example>"
    )
    sms_sender: Annotated[str, AfterValidator(text_sender)] = "iMUIS"
    strict_publishers: bool = Field(
        default_factory=lambda data: names_each_user(data.get("broker_url", EMBEDDED)),
        description="whether a message counts only as that of whom the broker vouches for; true "
        "where BROKER_URL has {service}",
    )
    prenotification_days: int = Field(14, ge=1, le=60)
    mandate_scheme: Annotated[Scheme, BeforeValidator(_in_capitals)] = "CORE"
    signups_per_address_hour: int = Field(10, ge=1)
    signups_per_office_hour: int = Field(5000, ge=1)
    accept_shortfall_cents: int = Field(
        0,
        ge=0,
        description="by how much a person at KING may accept less than an order's full amount",
    )
    credentials_hours: int = Field(72, ge=1, le=168)
    package_url: Annotated[str, AfterValidator(web_address)] = Field(
        "",
        description="where the bookkeeping package is opened: the button after a log-in",
    )
    creditor: Annotated[Creditor, NoDecode] = Field(default_factory=Creditor)
    staff: Annotated[StaffSettings, NoDecode] = Field(default_factory=StaffSettings)
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(_in_small)
    ] = "info"

    @field_validator("broker_url")
    @classmethod
    def _one_kind_of_user(cls, broker_url: str) -> str:
        names_each_user(broker_url)
        return broker_url

    @field_validator("strict_publishers", mode="before")
    @classmethod
    def _set_to_nothing(cls, strict: object, info: ValidationInfo) -> object:
        """Take one that is set to nothing as one that is not set."""
        return names_each_user(info.data.get("broker_url", EMBEDDED)) if strict == "" else strict

    @field_validator("strict_publishers")
    @classmethod
    def _vouched_for(cls, strict: bool, info: ValidationInfo) -> bool:
        """Refuse to have the broker vouch for each where one user speaks for all."""
        broker_url = info.data.get("broker_url")
        if strict and broker_url is not None and not names_each_user(broker_url):
            raise ValueError(
                "with one user for all the broker can vouch for nobody: write {service} where the "
                "user's name stands in STAPPENPLAN_BROKER_URL, or set "
                "STAPPENPLAN_STRICT_PUBLISHERS=false"
            )
        return strict

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: str, info: ValidationInfo) -> str:
        """Refuse to begin without a way out for mails; the address stays unsaid."""
        if url or info.data.get("mail") == "smtp":
            read_smtp_url(url)
        return url

    @property
    def embedded(self) -> bool:
        """Whether all services share one process and kombu's memory transport."""
        return self.broker_url.startswith("memory:")

    def broker_url_of(self, service: str) -> str:
        """The broker's address for one service, or one website: each may have a user of its own."""
        # An office's code is anything, and in an address @, / and % mean something.
        return self.broker_url.replace("{service}", quote(service, safe=""))

    @property
    def broker_name(self) -> str:
        """How people may be told of the broker: where it is, without anybody's password."""
        addresses = read_broker_url(self.broker_url)
        return ", ".join(address.origin + address.path for address in addresses) or EMBEDDED

    def database_url_of(self, service: str) -> str:
        """The address of one service's own database."""
        url = self.database_url.replace("{service}", service)
        return url.replace("{data_dir}", str(self.data_dir))

    @property
    def base_url(self) -> str:
        """The address that people can open, without a slash at its end."""
        return (self.public_url or http_address(self.http_host, self.http_port)).rstrip("/")

    def page_links(self) -> PageLinks:
        """Makes and reads the addresses of pages.

        Raises:
            WrongSettings: as `token_keys`.
        """
        return PageLinks(self.base_url, self.token_keys())

    @field_validator("token_key")
    @classmethod
    def _token_keys(cls, text: str) -> str:
        return ",".join(read_keys(text)) if text.strip() else ""

    @field_validator("seal_key")
    @classmethod
    def _seal_key(cls, text: str) -> str:
        return read_key(text) if text.strip() else ""

    def token_keys(self) -> tuple[str, ...]:
        """The keys that tokens are signed with: the first signs, all verify.

        Made at first use, readable by this user alone, when none is set.

        Raises:
            WrongSettings: the key in the data folder is too short, or cannot be read or made.
        """
        if self.token_key:
            return read_keys(self.token_key)
        path = self.data_dir / "token.key"
        if not path.exists() and not self.seal_key:
            # A new installation: what seals is not what signs.
            kept_key(self.data_dir / "seal.key")
        try:
            return read_keys(kept_key(path))
        except ValueError as error:
            raise WrongSettings(f"{path}: {error}") from None

    def signing_key(self) -> str:
        """The key that signs tokens.

        Raises:
            WrongSettings: as `token_keys`.
        """
        return self.token_keys()[0]

    def sealing_key(self) -> str:
        """The key for seals on paper and derived ids: the same for as long as there are any.

        Where none is set and none was kept, it is the oldest of the keys that signed until now.

        Raises:
            WrongSettings: the key in the data folder is too short, or cannot be read or made.
        """
        if self.seal_key:
            return self.seal_key
        path, signed = self.data_dir / "seal.key", self.data_dir / "token.key"
        before = None
        if not path.exists() and (self.token_key or signed.exists()):
            before = self.token_keys()[-1]
        try:
            return read_key(kept_key(path, before))
        except ValueError as error:
            raise WrongSettings(f"{path}: {error}") from None
