# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Entries as messages of RFC 5424."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from pinwheel.node.logs.syslog import message

ENTRY = {
    "__CURSOR": "c1",
    "__REALTIME_TIMESTAMP": "1763850000123456",
    "_HOSTNAME": "node-1",
    "SYSLOG_IDENTIFIER": "dockerd",
    "_PID": "42",
    "PRIORITY": "4",
    "MESSAGE": "no space left",
}
# RFC 5424, 6: HEADER SP STRUCTURED-DATA [SP MSG]
FORM = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) "
    rb"([\x21-\x7e]{1,128}) - - (.*)",
    re.DOTALL,
)


def test_entry_is_a_message_with_facility_time_and_name():
    assert message(ENTRY) == b"<28>1 2025-11-22T22:20:00.123456Z node-1 dockerd 42 - - no space left"


def test_kernel_messages_keep_their_facility():
    assert message({**ENTRY, "SYSLOG_FACILITY": "0", "PRIORITY": "0"}).startswith(b"<0>1 ")


def test_bytes_that_are_no_text_and_several_values_are_sent_all_the_same():
    assert message({**ENTRY, "MESSAGE": [104, 105, 255]}).endswith("hi\ufffd".encode())
    assert message({**ENTRY, "MESSAGE": ["one", "two"]}).endswith(b" one")
    assert message({**ENTRY, "MESSAGE": None}).endswith(b"- - ")


VALUES = st.text(max_size=60) | st.lists(st.integers(0, 255), min_size=1, max_size=9) | st.none()


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(sorted([*ENTRY, "SYSLOG_FACILITY", "_COMM"]), VALUES)))
def test_whatever_is_in_the_journal_makes_a_message(entry):
    entry["__REALTIME_TIMESTAMP"] = "1763850000123456"
    match = FORM.fullmatch(message(json.loads(json.dumps(entry))))
    assert match
    assert int(match[1]) <= 191
