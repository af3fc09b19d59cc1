"""The index of other programs' messages serves the list's own question."""

from notifications.catalogue import TYPES
from notifications.finding import OUR_TYPES


def test_every_type_that_the_index_leaves_out_is_one_of_ours() -> None:
    assert set(OUR_TYPES) <= set(TYPES)
