"""What one test commits, no later test finds."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import TransactionTestCase

from invites.models import Invite
from tests.emptying import contents, empty, filled
from tests.invites.factories import InviteFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def test_case() -> TransactionTestCase:
    case = TransactionTestCase()
    empty(case)
    return case


def test_no_table_keeps_a_row_but_those_that_migrate_fills(test_case: TransactionTestCase) -> None:
    InviteFactory()
    User.objects.create_user("ann").groups.add(Group.objects.get(name="Managers"))

    empty(test_case)

    assert filled() == []
    assert not Invite.objects.exists()
    assert Permission.objects.filter(group__name="Managers").exists()


def test_groups_that_a_test_changed_are_as_before(test_case: TransactionTestCase) -> None:
    names = set(Group.objects.values_list("name", flat=True))
    granted = Permission.objects.filter(group__name="Viewers").count()
    Group.objects.get(name="Viewers").permissions.clear()
    Group.objects.create(name="Coaches")
    before = contents()

    empty(test_case)

    assert contents() != before
    assert set(Group.objects.values_list("name", flat=True)) == names
    assert Permission.objects.filter(group__name="Viewers").count() == granted
