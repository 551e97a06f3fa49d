"""HTTP in: the customer logs in and chooses a password."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from services.activation.login.log_in import LoggedIn, change_password, log_in
from shared.host.runtime import Runtime
from shared.trade.text import PlainCode
from shared.web.app import api_router

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]
LoginName = Annotated[PlainCode, Field(min_length=1, max_length=64)]


class Login(BaseModel):
    """Login name and password."""

    login_name: LoginName
    password: Password


class NewPassword(BaseModel):
    """The password of now, and the one to have."""

    login_name: LoginName
    current_password: Password
    new_password: Password


def login_routes(runtime: Runtime) -> APIRouter:
    """The routes by which a customer logs in; nobody else's token is asked for."""
    routes = api_router(tags=["login"])

    @routes.post("/login", summary="Log in")
    def login(body: Login) -> LoggedIn:
        return log_in(runtime, body.login_name, body.password.get_secret_value())

    @routes.post("/password", status_code=204, summary="Choose a password")
    def password(body: NewPassword) -> None:
        change_password(
            runtime,
            body.login_name,
            body.current_password.get_secret_value(),
            body.new_password.get_secret_value(),
        )

    return routes
