"""Work that is done in a process of its own, which takes with it the memory that only this work needs."""

from __future__ import annotations

import pickle
import signal
import socket
from collections.abc import Callable

from collector.child import Child


def run_apart(name: str, work: Callable[[], object]) -> None:
    """Return once it is done there, or raise what it has raised. It ends with this process, also half-way."""
    child = Child(name, lambda control: control.sendall(_outcome(work)))
    try:
        said = _read_all(child.control)
    finally:
        child.send(signal.SIGKILL)
        ended = child.exit_text
        child.forget()
    if not said:
        raise OSError(0, f"it was ended by {ended}", name)
    kind, values, state = pickle.loads(said)  # of a process of our own
    if kind is None:
        return
    fault = kind.__new__(kind, *values)  # its __init__ takes other values than what it made of them
    fault.__dict__.update(state)
    raise fault


def _outcome(work: Callable[[], object]) -> bytes:
    """What it has raised: the type, its values and what else it has; None: it is done."""
    try:
        work()
    except Exception as fault:
        values = (
            (fault.errno, fault.strerror, fault.filename)
            if isinstance(fault, OSError)
            else fault.args
        )
        return pickle.dumps((type(fault), values, vars(fault)))
    return pickle.dumps((None, (), {}))


def _read_all(control: socket.socket) -> bytes:
    with control.makefile("rb") as stream:
        return stream.read()
