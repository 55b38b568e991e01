# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel node NAME VERB...`: the API client's own command line, put behind a node's name.

Typer brings a copy of click of its own (`typer._click`), so a group of click's cannot be its command: arguments are
handed over as they are, and the answers to the shell's completion are handed back.
"""

import click
import typer
from click.shell_completion import ShellComplete
from typer._click import Command, Context
from typer._click.shell_completion import CompletionItem
from typer.core import TyperCommand, TyperGroup

from pinwheel.api.client.group import make_group, run
from pinwheel.api.client.session import Session
from pinwheel.cli.machine_view import program
from pinwheel.cli.node_target import NodeTransport, known_names


def node_group(name: str) -> click.Group:
    """Give the command line of a node: the client's verbs, and those that only a workstation has."""
    from pinwheel.cli.dashboard.verb import dashboard

    group = make_group(f"Ask and change the node {name} through its API.", local=False)
    group.add_command(dashboard)
    return group


class NodeCommand(TyperCommand):
    """One node; all that follows its name is for its own command line."""

    def __init__(self, name: str) -> None:
        super().__init__(name, help=f"The node {name}.", add_help_option=False)

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Take everything as it is."""
        ctx.args = list(args)
        return ctx.args

    def invoke(self, ctx: Context) -> None:
        """Run the node's command line, and exit with its code."""
        name = str(self.name)
        session = Session(NodeTransport(name), f"{program()} node {name}")
        code = run(node_group(name), session, ctx.args)
        if code:
            raise typer.Exit(code)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete what follows the node's name."""
        name = str(self.name)
        session = Session(NodeTransport(name))
        completion = ShellComplete(node_group(name), {"obj": session}, program(), "")
        found = completion.get_completions(list(ctx.args), incomplete)
        return [CompletionItem(item.value, item.type, item.help) for item in found]


class NodeGroup(TyperGroup):
    """`add`, `ls`, `rm`, and every node by its name."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Give the verbs, then the nodes."""
        return [*super().list_commands(ctx), *(name for name in known_names() if name not in self.commands)]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Give a verb; any other word is the name of a node, and when there is none of that name, it will be said."""
        found = super().get_command(ctx, cmd_name)
        if found is not None or cmd_name.startswith("-"):
            return found
        return NodeCommand(cmd_name)
