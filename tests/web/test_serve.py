"""What an administrator types: refused where it cannot be right, with the remedy."""

from __future__ import annotations

import socket

import pytest
from click.testing import CliRunner
from django.core.exceptions import ValidationError

from ranvier.ground.notes import ExitCode
from ranvier_web import commands
from ranvier_web.people.models import Role, Site, User


def said(command, *words) -> tuple[int, str]:
    done = CliRunner().invoke(command, list(words), standalone_mode=False)
    return int(done.return_value), done.output


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("clinic.example.org", "Write it as https://clinic.example.org"),
        ("https://clinic.example.org/ranvier", "Write it as https://clinic.example.org"),
        ("ftp://clinic.example.org", "Write it as https://clinic.example.org"),
        ("http://clinic.example.org", "--address https://clinic.example.org"),
    ],
)
def test_an_address_that_cannot_be_served_safely_is_refused_and_nothing_is_made(tmp_path, address, remedy):
    code, output = said(commands.serve, "--data", str(tmp_path / "site"), "--address", address)
    assert code == ExitCode.USAGE
    assert remedy in output
    assert not (tmp_path / "site").exists()


def test_a_port_on_which_something_listens_is_told_before_anything_is_made(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = said(commands.serve, "--data", str(tmp_path / "site"), "--port", str(port))
    assert code == ExitCode.USAGE
    assert f"port {port} already" in output
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(("command", "words"), [(commands.audit, ["verify"]), (commands.backup, [])])
def test_a_folder_that_is_no_site_is_not_made_one_by_looking_at_it(tmp_path, command, words):
    code, output = said(command, *words, "--data", str(tmp_path))
    assert code == ExitCode.NOT_FOUND
    assert "is no site" in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["", "00", "f" * 63, "g" * 64])
def test_a_key_that_can_be_none_is_told_where_the_right_one_stands(tmp_path, key):
    file = tmp_path / "a.ranvier"
    file.write_bytes(b"RANVIER1")
    code, output = said(commands.restore, str(file), "--data", str(tmp_path / "site"), "--key", key or "-")
    assert code == ExitCode.INPUT
    assert "64 hexadecimal digits" in output
    assert not (tmp_path / "site").exists()


def test_without_a_terminal_the_first_administrator_comes_from_the_environment(db, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert not commands._administrator()
    assert "RANVIER_ADMIN_PASSWORD" in capsys.readouterr().err
    for name, value in (("SITE", "Here"), ("ADMIN", "ada lovelace"), ("ADMIN_PASSWORD", "short")):
        monkeypatch.setenv(f"RANVIER_{name}", value)
    assert not commands._administrator()
    assert "This name is not taken" in capsys.readouterr().err
    for name, value in (("SITE", "Here"), ("ADMIN", "ada"), ("ADMIN_PASSWORD", "short")):
        monkeypatch.setenv(f"RANVIER_{name}", value)
    assert not commands._administrator()
    assert "at least 12" in capsys.readouterr().err
    assert not Site.objects.exists()
    for name, value in (("SITE", "Here"), ("ADMIN", "ada"), ("ADMIN_PASSWORD", "a walk along the old canal")):
        monkeypatch.setenv(f"RANVIER_{name}", value)
    assert commands._administrator()
    made = User.objects.get()
    assert (made.username, made.role, made.site.name) == ("ada", Role.ADMINISTRATOR, "Here")
    assert made.check_password("a walk along the old canal")


def test_an_administrators_name_is_held_against_the_same_rules_as_everybodys():
    with pytest.raises(ValidationError):
        User(username="ada lovelace", role=Role.ADMINISTRATOR).clean_fields(exclude=["password", "site", "patient"])
