"""What an application is made of where nothing else is handed in."""

from uuid import RFC_4122, UUID

from service.app import new_uuid


def test_identifiers_are_uuids_in_the_order_of_their_time_and_none_is_given_out_twice() -> None:
    made = [new_uuid() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    assert [each[:13] for each in made] == sorted(each[:13] for each in made)
    for each in made:
        parsed = UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 7, RFC_4122)
