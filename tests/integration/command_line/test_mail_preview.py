"""`stappenplan mail preview`, as a person runs it who wants to see what is sent."""

from pathlib import Path

from tests.integration.command_line.shell import Shell


def test_every_mail_can_be_looked_at_and_nothing_else_is_made(shell: Shell, tmp_path: Path) -> None:
    # Given a machine on which nothing has run, When somebody wants to see the mails,
    folder = tmp_path / "to look at"
    answer = shell("mail", "preview", "--to", str(folder))
    # Then the page that leads to them is named, and they are there in both languages;
    assert answer.returncode == 0, answer.stderr
    assert str(folder / "index.html") in answer.stdout
    for language, word in (("nl", "Volg de voortgang"), ("en", "Follow your progress")):
        assert word in (folder / language / "signup_received.html").read_text()
    # no key and no mail came of it.
    assert not list(shell.data_dir.rglob("*.key"))
    assert not list(shell.data_dir.rglob("*.eml"))


def test_a_folder_that_cannot_be_written_is_named(shell: Shell, tmp_path: Path) -> None:
    # Given a file where the folder should be, When the mails are to be written,
    (tmp_path / "taken").touch()
    answer = shell("mail", "preview", "--to", str(tmp_path / "taken"))
    # Then one sentence says so.
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"stappenplan: {tmp_path / 'taken'} cannot be written")


def test_a_mail_server_that_is_not_named_ends_the_start_with_a_sentence(shell: Shell) -> None:
    # Given mails that go by a mail server, and none that is named, or one with a password that
    # cuts its address in two, When any command is run,
    for url in ("", "smtp://user:ge#heim@mail.example"):
        shell.settings.update(MAIL="smtp", SMTP_URL=url)
        answer = shell("doctor")
        # Then it is wrong usage, with how to write one, and without what was written.
        assert answer.returncode == 2
        assert answer.stderr.startswith("STAPPENPLAN_SMTP_URL: ")
        assert "smtp://user:password@host:587" in answer.stderr
        assert "heim" not in answer.stderr + answer.stdout
