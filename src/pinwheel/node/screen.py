# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The status document as people see it on the console: one clear line, and a screen. Pure."""

from typing import Any

SHORT_HASH = 16
"""Characters of the root hash on the screen."""
_WATCHED = ("ready", "reasons", "addresses", "hostname", "user_data", "docker", "api")


def changed(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Say whether a document says something that people should see."""
    return any(before.get(key) != now.get(key) for key in _WATCHED)


def status_line(status: dict[str, Any]) -> str:
    """Give the line that programs wait for on the console."""
    if not status["ready"]:
        return f"pinwheel: not ready: {'; '.join(status['reasons'])}"
    return (
        f"pinwheel: ready version={status['version']} variant={status['variant']} slot={status['slot']} "
        f"root-hash={status['root_hash']} addresses={','.join(status['addresses'])}"
    )


def status_screen(status: dict[str, Any], motd: str) -> str:
    """Give the screen: what this is, how it is, how to reach it."""
    rows = [
        ("version", f"{status['version']} ({status['variant']}), slot {status['slot'] or '-'}"),
        ("root hash", f"{status['root_hash'][:SHORT_HASH] or '-'}, secure boot {_on_off(status['secure_boot'])}"),
        ("kernel", status["kernel"]),
        ("host name", status["hostname"]),
        ("addresses", ", ".join(status["addresses"]) or "none"),
        ("readiness", "ready" if status["ready"] else "not ready"),
        *(("", f"- {reason}") for reason in status["reasons"]),
        ("user data", _user_data(status["user_data"])),
        *(("", f"- {_problem_line(problem)}") for problem in status["user_data"]["problems"]),
        *zip(("reach it", "", ""), _reach(status), strict=False),
    ]
    body = "\n".join(f"  {name:<10} {text}".rstrip() for name, text in rows)
    greeting = "\n".join(f"  {line}".rstrip() for line in motd.splitlines())
    return f"\nPinwheel\n{body}\n\n{greeting}\n"


def _on_off(value: bool) -> str:
    return "on" if value else "off"


def _user_data(user_data: dict[str, Any]) -> str:
    source = "none found" if user_data["source"] == "none" else f"from {user_data['source']}"
    count = len(user_data["problems"])
    return source if not count else f"{source}, {count} problem{'s' if count > 1 else ''}:"


def _problem_line(problem: dict[str, Any]) -> str:
    place = f"line {problem['line']}: " if problem["line"] else ""
    subject = f"{problem['path']}: " if problem["path"] else ""
    return f"{place}{subject}{problem['message']}" + (f" ({problem['hint']})" if problem["hint"] else "")


def _reach(status: dict[str, Any]) -> list[str]:
    """Give a line for each port that is open, and what a client has to compare."""
    ports = {"Docker API": status["docker"]["remote"], "API": status.get("api", {}).get("remote")}
    lines = [f"{name} over TLS at {_places(status, remote['port'])}" for name, remote in ports.items() if remote]
    if ports["API"]:
        lines.append(f"the API's certificate: {status['api']['fingerprint'] or 'not made'}")
    return lines or ["no port is open: give user data to open the Docker API"]


def _places(status: dict[str, Any], port: int) -> str:
    names = [f"[{address}]" if ":" in address else address for address in status["addresses"]] or ["<address>"]
    return ", ".join(f"{name}:{port}" for name in names)
