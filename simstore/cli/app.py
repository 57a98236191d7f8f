"""The application: its options, its commands, and how it fails."""

import sys
import traceback
from collections.abc import Callable
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from simstore.cli import (
    agreement,
    bench,
    deleting,
    demo,
    doctor,
    files,
    leaderboards,
    records,
    rewards,
    server,
    stores,
    transcripts,
)
from simstore.cli.conditions import SYNTAX
from simstore.cli.console import note
from simstore.cli.exit_codes import PROBLEM, STOPPED, USAGE
from simstore.cli.hints import with_hints
from simstore.domain.errors import (
    BackendError,
    BenchmarkError,
    InvalidArgumentError,
    InvalidPkError,
    MissingDependencyError,
    ModelError,
    QueryError,
    SaveManyError,
    SimstoreError,
    StoreURLError,
)

_USAGE_ERRORS = (
    BackendError,
    BenchmarkError,
    InvalidArgumentError,
    InvalidPkError,
    MissingDependencyError,
    ModelError,
    QueryError,
    SaveManyError,
    StoreURLError,
)


class _Group(TyperGroup):
    """Runs a command; its errors become one line each, and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # Whoever met an error adds --debug at the end of the line that they have.
        end = args.index("--") if "--" in args else len(args)
        if "--debug" in args[:end]:
            args = ["--debug", *(arg for arg in args[:end] if arg != "--debug"), *args[end:]]
        return super().parse_args(ctx, args)

    def main(self, *args: Any, **options: Any) -> Any:
        standalone = options.get("standalone_mode", True)
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
        except SystemExit as left:
            if not isinstance(left.__context__, BrokenPipeError):
                raise
            raise left.__context__ from None  # of all output, the help too; see simstore.cli.main
        except Exception as error:  # those of Typer's own, whose classes moved between releases
            if not standalone or not hasattr(error, "format_message"):
                raise
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "simstore"
            # Some releases say "Value error, " first, which says nothing.
            message = " ".join(error.format_message().replace("Value error, ", "").split())
            end = "" if message.endswith(("?", ".")) else "."
            note(f"{command}: {message}{end} See: {command} --help")
            code = USAGE
        if not standalone:
            return code
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a closed pipe is no accident
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            note("\nsimstore: stopped")
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            if hasattr(error, "exit_code"):  # Typer's own
                raise
            if ctx.params.get("debug"):
                note("".join(traceback.format_exception(error)).rstrip())
            code, line = _explain(error)
            note(f"simstore: {line}")
            raise typer.Exit(code) from None
        return result


class _Command(TyperCommand):
    """A command whose help shows an argument by its name, without the Python type behind it."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments: list[Any] = [p for p in self.params if p.param_type_name == "argument"]
        for argument in arguments:
            argument.display_type_rich = lambda ctx: ""  # noqa: ARG005 — what Typer calls it with
        super().format_options(ctx, formatter)


def _explain(error: Exception) -> tuple[int, str]:
    """The exit code for `error`, and the line that tells of it."""
    if isinstance(error, SimstoreError):
        return USAGE if isinstance(error, _USAGE_ERRORS) else PROBLEM, with_hints(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return USAGE, f"{where}{error.strerror}"  # without its number
    kind = type(error).__name__
    return USAGE, f"this should not have happened: {kind}: {error}. --debug shows where"


app = typer.Typer(
    name="simstore",
    cls=_Group,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Records of social simulations: import them, ask them, compare and move them.",
    epilog="Exit codes: 0 done; 1 a problem was found; 2 called wrongly, or the store or a "
    "file cannot be used.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 — how Typer calls it
    if wanted:
        typer.echo(f"simstore {metadata.version('simstore')}")
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    *,
    debug: Annotated[  # noqa: ARG001 — read by the group, where errors arrive
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[  # noqa: ARG001 — its callback acts
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Records of social simulations: import them, ask them, compare and move them."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(USAGE)


_COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "import": files.import_,
    "export": files.export,
    "list": records.list_,
    "show": records.show,
    "find": records.find,
    "rewards": rewards.rewards,
    "leaderboard": leaderboards.leaderboard,
    "compare": leaderboards.compare,
    "agreement": agreement.agreement,
    "render": transcripts.render,
    "copy": stores.copy,
    "check": stores.check,
    "delete": deleting.delete,
    "doctor": doctor.doctor,
    "bench": bench.bench,
    "server": server.server,
}

for _name, _command in _COMMANDS.items():
    app.command(_name, cls=_Command, epilog=SYNTAX if _name == "find" else None)(_command)
