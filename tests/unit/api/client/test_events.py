# SPDX-License-Identifier: Apache-2.0 OR MIT
from pinwheel.api.client.events import Event, read_events


def events(text: str) -> list[Event]:
    return list(read_events(text.split("\n")))


def test_fields_make_an_event_at_the_empty_line() -> None:
    assert events("id: 7\nevent: commit\ndata: {}\n\n") == [Event("commit", "{}", "7")]


def test_lines_of_data_are_joined_and_one_space_is_dropped() -> None:
    assert events("data:a\ndata:  b\ndata\n\n") == [Event("message", "a\n b\n", "")]


def test_comments_unknown_fields_and_events_without_data_are_passed_over() -> None:
    assert events(": alive\n\nretry: 5\nx: y\n\nevent: e\n\ndata: z\n\n") == [Event("message", "z", "")]


def test_the_id_stays_until_there_is_another() -> None:
    assert [event.id for event in events("id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n")] == ["1", "1", "2"]


def test_an_event_that_the_end_cuts_off_is_none() -> None:
    assert events("data: a\n\ndata: b") == [Event("message", "a", "")]
