"""HTTP in: the customer logs in and chooses a password."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, SecretStr

from services.activation.login.door import Door
from services.activation.login.entry import Entry
from services.activation.login.log_in import LoggedIn
from shared.host.runtime import Runtime
from shared.trade.text import PlainCode
from shared.web.app import api_router
from shared.web.documentation import problems

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]
LoginName = Annotated[PlainCode, Field(min_length=1, max_length=64)]
REFUSALS = problems(401, 403, 429)


class Login(BaseModel):
    """Login name and password."""

    login_name: LoginName
    password: Password


class Forgotten(BaseModel):
    """Whose password is forgotten."""

    login_name: LoginName


class Received(BaseModel):
    """The one answer, whoever asks and whatever comes of it."""

    detail: str = (
        "Bestaat deze loginnaam, dan sturen wij een nieuw wachtwoord naar het bekende e-mailadres."
    )


class NewPassword(BaseModel):
    """The password of now, and the one to have."""

    login_name: LoginName
    current_password: Password
    new_password: Password


def login_routes(runtime: Runtime) -> APIRouter:
    """The routes by which a customer logs in; nobody else's token is asked for."""
    routes = api_router(prefix="/api", tags=["login"])
    door = runtime.resource(Door)

    def entry(request: Request, login_name: str, password: SecretStr) -> Entry:
        return Entry.of(login_name, password.get_secret_value(), address_of(request))

    @routes.post("/login", summary="Log in", responses=REFUSALS)
    async def login(body: Login, request: Request) -> LoggedIn:
        who = entry(request, body.login_name, body.password)
        return (await door.admit(runtime, who)).customer

    @routes.post("/password", status_code=204, summary="Choose a password", responses=REFUSALS)
    async def password(body: NewPassword, request: Request) -> None:
        who = entry(request, body.login_name, body.current_password)
        await door.change(runtime, who, body.new_password.get_secret_value())

    @routes.post(
        "/password/forgotten",
        status_code=202,
        summary="Have a fresh one-time password sent to the address that is known",
    )
    async def forgotten(body: Forgotten, request: Request) -> Received:
        door.forget(runtime, body.login_name, address_of(request))
        return Received()

    return routes


def address_of(request: Request) -> str:
    """From where somebody comes, as the limits count it."""
    return request.client.host if request.client else ""
