"""Links in mails: made when a mail is rendered, for its own customer, to no page of the staff."""

from datetime import timedelta
from pathlib import Path

import pytest
from jinja2 import TemplateError

from shared.links import Expired, Purpose
from shared.notifications.messages import Mail
from shared.notifications.senders import Email
from shared.processing.testing import MONDAY, onboarding
from tests.unit.notifications.paper import BASE_URL, PAGES, job, renderer

TEMPLATE = "{% block subject %}Dag{% endblock %}{% block body %}BODY{% endblock %}"
FOR_ANNA = Mail("kind", "anna@korenaar.example", "nl", {})


def rendered(folder: Path, body: str, mail: Mail = FOR_ANNA, days: int = 0) -> Email:
    (folder / "kind").mkdir(exist_ok=True)
    (folder / "kind" / "nl.md").write_text(TEMPLATE.replace("BODY", body))
    message = renderer(folder).render(job(mail), MONDAY + timedelta(days=days))
    assert isinstance(message, Email)
    return message


def link_in(message: Email) -> str:
    """The only address in a mail's text."""
    (link,) = [word for word in message.text.split() if word.startswith(BASE_URL)]
    return link


def test_each_time_a_mail_is_rendered_its_link_is_a_fresh_one(tmp_path: Path) -> None:
    # Given a mail that is tried on one day, and once more a day later,
    first, second = (
        link_in(rendered(tmp_path, '{{ page("status") }}', days=days)) for days in (0, 1)
    )
    # When the first has ended, Then the second still lets in.
    token = Purpose.STATUS, MONDAY + timedelta(days=90, hours=1)
    with pytest.raises(Expired):
        PAGES.read(token[0], first.rpartition("/")[2], token[1])
    assert PAGES.read(token[0], second.rpartition("/")[2], token[1])


def test_a_link_is_about_the_customer_whom_the_mail_is_about(tmp_path: Path) -> None:
    mail = Mail("kind", "anna@korenaar.example", "nl", {}, about=onboarding("slager"))
    link = link_in(rendered(tmp_path, '{{ page("sign") | button("Teken") }}', mail))
    signed = PAGES.read(Purpose.SIGN, link.rpartition("/")[2], MONDAY)
    assert signed.claims == {"sub": onboarding("slager")}


def test_a_link_says_in_the_text_what_it_is_for_and_where_it_ends(tmp_path: Path) -> None:
    # Given a sentence with a link in it, When it is rendered,
    message = rendered(tmp_path, 'U kunt [intrekken]({{ address("/login") }}).')
    # Then no stop or bracket can be taken for a part of the address.
    assert f"U kunt intrekken <{BASE_URL}/login>." in message.text
    assert f'href="{BASE_URL}/login"' in message.html


@pytest.mark.parametrize("purpose", ["staff", "door"])
def test_no_mail_leads_to_a_page_that_is_not_for_its_reader(tmp_path: Path, purpose: str) -> None:
    with pytest.raises((ValueError, TemplateError)):
        rendered(tmp_path, f'{{{{ page("{purpose}") }}}}')


def test_what_stands_in_a_path_cannot_lead_elsewhere(tmp_path: Path) -> None:
    # Given an office whose code looks like an address, When a mail leads to its form,
    mail = Mail("kind", "anna@korenaar.example", "nl", {"code": "../x?y#z"})
    message = rendered(tmp_path, '{{ address("/signup", code) | button("Verder") }}', mail)
    # Then it stays one part of the path.
    assert link_in(message) == f"{BASE_URL}/signup/..%2Fx%3Fy%23z"
    assert f'href="{BASE_URL}/signup/..%2Fx%3Fy%23z"' in message.html


def test_a_mail_to_an_office_says_why_it_comes_and_a_customers_names_the_office(
    tmp_path: Path,
) -> None:
    # Given the same mail to a customer and to an office whose name holds signs of HTML,
    params = {"office": "Jansen & <Zn>", "office_email": "k@j.example", "office_phone": None}
    mail = Mail("kind", "anna@korenaar.example", "nl", params)
    to_customer = rendered(tmp_path, "Dag", mail)
    to_office = rendered(tmp_path, "Dag{% endblock %}{% block audience %}office", mail)
    # When they are rendered, Then the customer knows whom to ask, and the office why it is mailed.
    assert "Jansen & <Zn> helpt u graag: k@j.example." in to_customer.text
    assert "Jansen &amp; &lt;Zn&gt; helpt u graag" in to_customer.html
    assert "omdat uw kantoor" in to_office.text
    assert "Jansen" not in to_office.text
