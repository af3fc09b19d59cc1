"""Staff who look at the queue, and a worker who lives."""

import pytest
from django.test import Client

from notifications.models import Worker
from tests.staff import login


@pytest.fixture
def operator() -> Client:
    return login("Operators")


@pytest.fixture
def viewer() -> Client:
    return login("Viewers")


@pytest.fixture
def worker() -> Worker:
    return Worker.objects.create(name="here:1:a", kind=Worker.Kind.LOOP)
