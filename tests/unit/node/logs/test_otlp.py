# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Entries as a request of OTLP."""

from pinwheel.node.logs.otlp import request

ENTRY = {
    "__REALTIME_TIMESTAMP": "1763850000123456",
    "_HOSTNAME": "node-1",
    "_MACHINE_ID": "ab" * 16,
    "SYSLOG_IDENTIFIER": "dockerd",
    "_SYSTEMD_UNIT": "docker.service",
    "PRIORITY": "3",
    "MESSAGE": "no space left",
}


def test_request_has_the_machine_once_and_a_record_for_each_entry():
    (resource,) = request([ENTRY, {**ENTRY, "PRIORITY": "6"}])["resourceLogs"]
    assert {"key": "host.name", "value": {"stringValue": "node-1"}} in resource["resource"]["attributes"]
    first, second = resource["scopeLogs"][0]["logRecords"]
    assert first == {
        "timeUnixNano": "1763850000123456000",
        "observedTimeUnixNano": "1763850000123456000",
        "severityNumber": 17,
        "severityText": "err",
        "body": {"stringValue": "no space left"},
        "attributes": [
            {"key": "service.name", "value": {"stringValue": "dockerd"}},
            {"key": "systemd.unit", "value": {"stringValue": "docker.service"}},
        ],
    }
    assert (second["severityNumber"], second["severityText"]) == (9, "info")
