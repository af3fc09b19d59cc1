"""Invented enquiries and invites."""

from typing import Any

import factory

from invites.models import Enquiry, Invite


class EnquiryFactory(factory.django.DjangoModelFactory[Enquiry]):
    class Meta:
        model = Enquiry

    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@families.example")
    interest = "Training"


class InviteFactory(factory.django.DjangoModelFactory[Invite]):
    class Meta:
        model = Invite

    enquiry = factory.SubFactory(EnquiryFactory)


def make_invites(count: int, **fields: Any) -> list[Invite]:
    """Make so many invites with few statements."""
    people = Enquiry.objects.bulk_create(EnquiryFactory.build_batch(count))
    return Invite.objects.bulk_create(Invite(enquiry=person, **fields) for person in people)
