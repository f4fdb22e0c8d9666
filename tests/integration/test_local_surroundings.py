"""What the project's own processes are told about the servers they find."""

from __future__ import annotations

import pytest

from deploy.local.instance_secrets import load_secrets
from deploy.local.ports import Ports
from deploy.local.surroundings import build_environment


@pytest.fixture
def build(instance):
    """The environment made from the user's own."""
    instance.create()
    secrets = load_secrets(instance)
    return lambda environ: build_environment(instance=instance, ports=Ports(), secrets=secrets, environ=environ)


def test_the_private_broker_comes_with_its_management_api(build):
    """Both are reached with the same user and password."""
    built = build({})

    login = built["AMQP_URL"].removeprefix("amqp://").partition("@")[0]
    assert built["AMQP_MANAGEMENT_URL"] == f"http://{login}@127.0.0.1:{Ports().rabbitmq_management}"


@pytest.mark.parametrize("name", ["AMQP_URL", "AMQP_URL_FILE"])
def test_another_broker_is_not_asked_by_the_private_one_s_management_api(name, build):
    """It may have one of its own; that is for the user to say."""
    assert "AMQP_MANAGEMENT_URL" not in build({name: "given"})
    assert build({name: "given", "AMQP_MANAGEMENT_URL": "theirs"})["AMQP_MANAGEMENT_URL"] == "theirs"


def test_accounts_can_be_connected_to_the_emulator_at_once(build):
    """It knows every app; at another platform there is none but the user's own."""
    assert {"INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET"} < build({}).keys()
    assert not {"INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET"} & build({"INSTAGRAM_GRAPH_URL": "theirs"}).keys()
    assert build({"INSTAGRAM_APP_ID": "mine"})["INSTAGRAM_APP_ID"] == "mine"
