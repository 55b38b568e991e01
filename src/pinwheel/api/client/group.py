# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The command line: one table of verbs, whose modules are loaded when they are called.

It is the same as `apiclient` on a node and as `pinwheel node NAME` on a workstation. Bottlerocket's command lines work
as they are: without a verb it is `raw`, and the options for all verbs may stand before the verb or behind it.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

import click

from pinwheel.api.client.failure import ApiFailed, ExitCode
from pinwheel.api.client.session import Session, note
from pinwheel.api.client.text import failure_lines
from pinwheel.api.client.transport import SOCKET, UnixTransport

VERBS: Mapping[str, str] = {
    "get": "settings",
    "set": "settings",
    "unset": "settings",
    "apply": "settings",
    "diff": "settings",
    "try": "trials",
    "schema": "settings",
    "generations": "history",
    "rollback": "history",
    "status": "system",
    "logs": "system",
    "events": "system",
    "metrics": "system",
    "containers": "containers",
    "exec": "containers",
    "reboot": "system",
    "poweroff": "system",
    "support-bundle": "system",
    "update": "updates",
    "report": "reports",
    "ephemeral-storage": "machine",
    "network": "machine",
    "raw": "raw",
}
"""Verb -> the module in `verbs` that has it."""

EPILOG = (
    "Exit codes: 0 done; 1 the node cannot be reached, is busy or failed; 2 the request was wrong or is not allowed; "
    "3 the node refused it because of its state, or the change did not work and was taken back; 130 interrupted. "
    "`exec` passes on the command's own code."
)
_LOG_LEVELS = ("off", "error", "warn", "info", "debug", "trace")
_TALKATIVE = ("debug", "trace")


_WITH_SESSION: Callable[..., Any] = click.pass_obj
"""Typed so loosely because the functions take what their options say."""


def verb(
    name: str,
    **attributes: Any,  # noqa: ANN401 - click's own
) -> Callable[[Callable[..., object]], click.Command]:
    """Make a verb of a function that takes the session first; options for all verbs are added.

    Args:
        name: as it is typed.
        attributes: for `click.command`.
    """

    def decorate(function: Callable[..., object]) -> click.Command:
        make: Callable[..., Any] = click.command(name, **attributes)
        command: click.Command = make(_WITH_SESSION(function))
        command.params += general_options(hidden=True)
        return command

    return decorate


def general_options(*, hidden: bool = False) -> list[click.Parameter]:
    """Give the options that every verb takes."""
    common: dict[str, Any] = {"expose_value": False, "hidden": hidden}
    return [
        click.Option(
            ["-s", "--socket-path"], metavar="PATH", callback=_use_socket,
            help=f"The API's socket [{SOCKET}].", **common,
        ),
        click.Option(["-v", "--verbose"], is_flag=True, callback=_be_verbose, help="Show each request.", **common),
        click.Option(
            ["--log-level"], type=click.Choice(_LOG_LEVELS, case_sensitive=False), callback=_be_verbose,
            help="How much to say.", **common,
        ),
    ]  # fmt: skip


def _use_socket(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is None or context.resilient_parsing:
        return
    session = context.find_object(Session)
    if session is None or not session.local:
        raise click.UsageError("--socket-path is for the client on a node; this one knows the node by its name")
    session.transport = UnixTransport(value)


def _be_verbose(context: click.Context, _parameter: click.Parameter, value: bool | str | None) -> None:
    session = context.find_object(Session)
    if session is not None and (value is True or value in _TALKATIVE):
        session.verbose = True


class VerbGroup(click.Group):
    """The verbs, each loaded when it is needed, and what was added to them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """See click."""
        return [*VERBS, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click."""
        if cmd_name not in VERBS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"pinwheel.api.client.verbs.{VERBS[cmd_name]}")
        commands = cast("Mapping[str, click.Command]", module.COMMANDS)
        return commands[cmd_name]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click; `apiclient -u /settings` is `apiclient raw -u /settings`."""
        return super().parse_args(ctx, with_verb(args))


def with_verb(arguments: Sequence[str]) -> list[str]:
    """Put `raw` in front of the first option that is not one for all verbs, when no verb comes before it."""
    position = 0
    while position < len(arguments):
        word = arguments[position]
        if word in ("-s", "--socket-path", "--log-level"):
            position += 2
        elif word in ("-v", "--verbose") or word.startswith(("-s", "--socket-path=", "--log-level=")):
            position += 1
        elif word.startswith("-") and word not in ("-h", "--help"):
            return [*arguments[:position], "raw", *arguments[position:]]
        else:
            break
    return list(arguments)


def make_group(help_text: str, *, local: bool = True) -> click.Group:
    """Make the command line; `local` where the node is the one that it runs on."""
    return VerbGroup(
        help=help_text,
        epilog=EPILOG,
        params=[option for option in general_options() if local or option.name != "socket_path"],
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        no_args_is_help=True,
    )


def run(group: click.Group, session: Session, arguments: Sequence[str]) -> int:
    """Run a command line and give its exit code; errors are shown."""
    try:
        # Not by `main`: that has exit codes of its own, and looks for completion, which is the workstation's.
        with group.make_context(session.program, list(arguments), obj=session) as context:
            code = group.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help
        return end.exit_code
    except ApiFailed as failure:
        for line in failure_lines(failure):
            note(line)
        return failure.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        note(error.format_message())
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        note("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone, as `head` does; there is nobody to tell, also not when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    return code if isinstance(code, int) else ExitCode.OK
