"""`onsil …`: the operator's and the auditor's commands."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def callback() -> None:
    """Onsil."""


def main() -> None:
    app()
