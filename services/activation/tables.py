"""Every table of this service, each defined in the room that it belongs to."""

from services.activation.history import HeardFact
from services.activation.login.tries import LoginTries
from services.activation.models import Activation, ActivationTable
from services.activation.rounds import ActivationRound
from services.activation.search import SearchTerm
from services.activation.staff.attempts import StaffAttempt
from services.activation.staff.links import StaffLink
from services.activation.staff.sessions import StaffSession

TABLES = (
    Activation,
    HeardFact,
    SearchTerm,
    LoginTries,
    ActivationRound,
    StaffSession,
    StaffLink,
    StaffAttempt,
)
"""A room that nobody has entered yet has made no table known; here all of them are."""

METADATA = ActivationTable.metadata
