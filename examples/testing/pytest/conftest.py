from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

import entra_dev
from api import Settings, create_app
from entra_dev import Tenant


@pytest.fixture(scope="session")
def entra_dev_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The development tenant, for all tests."""
    try:
        with entra_dev.running(tmp_path_factory.mktemp("entra-dev")) as url:
            yield url
    except entra_dev.StartError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture
def tenant(entra_dev_url: str) -> Iterator[Tenant]:
    """A tenant for this test only, so that no test affects another."""
    with entra_dev.isolated(entra_dev_url) as tenant:
        yield tenant


@pytest.fixture
def settings(tenant: Tenant) -> Settings:
    return Settings(tenant.id, tenant.client_id("Todo API"), tenant.instance)


@pytest.fixture
def api(settings: Settings) -> Iterator[TestClient]:
    """The API under test, started."""
    with TestClient(create_app(settings)) as client:
        yield client
