# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The verbs for the node as a whole: status, logs, events, metrics, reboot, poweroff, support-bundle."""

import json as json_text
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from pinwheel.api.client.events import read_events
from pinwheel.api.client.failure import wrong_usage
from pinwheel.api.client.group import verb
from pinwheel.api.client.session import Session, note, show, waiting
from pinwheel.api.client.text import clean, human_duration, pairs
from pinwheel.api.client.verbs.effect import json_option
from pinwheel.api.client.verbs.raw import write_body
from pinwheel.api.endpoints import MAX_LOG_LINES

_PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


@verb("status", short_help="Show how the node is.")
@json_option()
def status(session: Session, json: bool) -> None:
    """Show how the node is: whether it is ready, and if not, why; what runs; what is on trial."""
    found = session.client.get("/status")
    show(found, status_lines(found), as_json=json)


def status_lines(found: Mapping[str, Any]) -> list[str]:
    """Give what people are told of a status document."""
    user_data = found.get("user_data") or {}
    trial = found.get("trial")
    return pairs(
        [
            ("readiness", "ready" if found["ready"] else f"not ready ({found.get('stage') or 'running'})"),
            *(("not ready", reason) for reason in found.get("reasons") or ()),
            ("Pinwheel", f"{found.get('version')} ({found.get('variant')}), slot {found.get('slot') or '-'}"),
            ("root hash", found.get("root_hash")),
            ("kernel", found.get("kernel")),
            ("host name", found.get("hostname")),
            ("addresses", ", ".join(found.get("addresses") or ())),
            ("Secure Boot", "on" if found.get("secure_boot") else "off"),
            ("up for", human_duration(found.get("uptime_seconds") or 0)),
            ("generation", found.get("generation")),
            ("on trial", f"generation {trial['generation']}, until {trial['until']}" if trial else ""),
            ("user data", user_data.get("source")),
            *(("problem", _problem_text(problem)) for problem in user_data.get("problems") or ()),
        ]
    )


def _problem_text(problem: Mapping[str, Any]) -> str:
    place = f"line {problem['line']}: " if problem.get("line") else ""
    subject = f"{problem['path']}: " if problem.get("path") else ""
    return f"{place}{subject}{problem['message']}"


@verb("logs", short_help="Show the node's journal.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is yet to come.")
@click.option("-u", "--unit", "units", multiple=True, metavar="UNIT", help="Only this unit. May be repeated.")
@click.option("-p", "--priority", type=click.Choice(_PRIORITIES), help="Only entries of this priority and worse.")
@click.option("--since", metavar="TIME", help="From this time on: 2026-01-31T12:00:00Z, or so long ago: 2h, 30min.")
@click.option(
    "-n", "--lines", type=click.IntRange(1, MAX_LOG_LINES), default=200, show_default=True, help="The newest so many."
)
@click.option("-b", "--boot", type=click.IntRange(0), metavar="N", help="0: this boot; 1: the one before ...")
@json_option("Print each entry as a line of JSON.")
def logs(session: Session, units: tuple[str, ...], json: bool, **query: Any) -> None:  # noqa: ANN401 - the options
    """Show the node's journal."""
    for line in session.client.lines("/logs", {"unit": units, **query}):
        if line:
            print(line if json else log_text(json_text.loads(line)), flush=True)


def log_text(entry: Mapping[str, Any]) -> str:
    """Write an entry of the journal as a line, with its time in UTC."""
    moment = str(entry["time"])[:19].replace("T", " ")
    return f"{moment} {clean(entry['identifier'] or entry['unit'])}: {clean(entry['message'])}"


@verb("events", short_help="Show what happens on the node, as it happens.")
@json_option("Print each event as a line of JSON.")
def events(session: Session, json: bool) -> None:
    """Show what happens on the node, as it happens: commits, trials, rollbacks, reboots, failures."""
    for event in read_events(session.client.lines("/events")):
        data = json_text.loads(event.data)
        if json:
            print(json_text.dumps({"event": event.name, **data}), flush=True)
        else:
            print(
                f"{str(data['time'])[:19].replace('T', ' ')} {clean(event.name)}: {clean(data['message'])}", flush=True
            )


@verb("metrics", short_help="Print the node's numbers, for Prometheus.")
def metrics(session: Session) -> None:
    """Print the node's numbers in Prometheus' text format."""
    write_body(session.client.ask("GET", "/metrics"))


@verb("reboot", short_help="Restart the machine.")
def reboot(session: Session) -> None:
    """Restart the machine."""
    session.client.send("POST", "/actions/reboot")


@verb("poweroff", short_help="Switch the machine off.")
def poweroff(session: Session) -> None:
    """Switch the machine off."""
    session.client.send("POST", "/actions/poweroff")


@verb("support-bundle", short_help="Fetch what support needs, without secrets.")
@click.option(
    "-o", "--output", metavar="FILE", default="support.tar", show_default=True, help="Where to; - is the output."
)
def support_bundle(session: Session, output: str) -> None:
    """Fetch logs, settings and the state of the node as a tar archive; secrets are hidden in it."""
    size = 0
    with _writable(output) as file, waiting("Collecting"):
        for chunk in session.client.chunks("POST", "/support-bundle"):
            file.write(chunk)
            size += len(chunk)
    if output != "-":
        note(f"{output}: {size} bytes")


@contextmanager
def _writable(output: str) -> Iterator[IO[bytes]]:
    """Give where to write; a file appears under its name when it is whole."""
    if output == "-":
        yield sys.stdout.buffer
        return
    path = Path(output)
    fresh = path.with_name(f".{path.name}.part")
    try:
        with fresh.open("wb") as file:
            yield file
        fresh.replace(path)
    except OSError as error:
        raise wrong_usage(f"cannot write {output}: {error.strerror or error}") from error
    finally:
        fresh.unlink(missing_ok=True)


COMMANDS = {
    "status": status,
    "logs": logs,
    "events": events,
    "metrics": metrics,
    "reboot": reboot,
    "poweroff": poweroff,
    "support-bundle": support_bundle,
}
