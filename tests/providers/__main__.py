"""The newcomer's demo: `python -m tests.providers --port 0 --port-file FILE`."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from tests.providers.demo import behave_by_address
from tests.providers.kept import keep
from tests.providers.server import ProviderServer


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    options = _options()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = ProviderServer(port=options.port)
    except (OSError, OverflowError) as error:
        words = (
            f"Port {options.port} cannot be used ({error}). Choose another, or 0 for a free one."
        )
        print(words, file=sys.stderr)
        return 2
    with server:
        behave_by_address(server.resend)
        if options.keep:
            keep_all(server, options.keep)
        _announce(server, options.port_file)
        stop.wait()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--port-file", type=Path, help="a file to write the port into")
    parser.add_argument("--keep", type=Path, help="a folder that keeps what was accepted")
    return parser.parse_args()


def keep_all(server: ProviderServer, folder: Path) -> None:
    """Let every provider remember over a restart what it accepted."""
    for name, provider in (
        ("resend", server.resend),
        ("whatsapp", server.whatsapp),
        ("zoom", server.zoom),
    ):
        keep(provider.ledger, folder / f"{name}.jsonl")


def _announce(server: ProviderServer, port_file: Path | None) -> None:
    """Write the file in one step, so that a reader never sees half a number."""
    if port_file is not None:
        draft = port_file.with_name(f"{port_file.name}.draft")
        draft.write_text(f"{server.port}\n")
        draft.replace(port_file)
    print(f"listening on {server.url}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
