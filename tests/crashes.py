"""Processes that are killed: after a time, or at the n-th thing they ask of the system."""

import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

#: What changes files, by its name in `os`.
CALLS = ("pwrite", "replace", "ftruncate", "fsync", "unlink")


def killed_after(delay: float, work: Callable[[], Any]) -> bool:
    """Do the work in a process of its own, killed with SIGKILL after `delay` s; whether it was, before its end."""
    process = _fork(work)
    deadline = time.monotonic() + delay
    while time.monotonic() < deadline:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return _ended(status)
        time.sleep(0.001)
    os.kill(process, signal.SIGKILL)
    return _ended(os.waitpid(process, 0)[1])


def killed_at(number: int, work: Callable[[], Any]) -> bool:
    """Do the work in a process that kills itself in the n-th call (0, 1, ...) that changes a file; whether it did.

    A write that it dies in is half done.
    """

    def counting() -> None:
        left = [number]
        for name in CALLS:
            setattr(os, name, _deadly(getattr(os, name), left))
        work()

    return _ended(os.waitpid(_fork(counting), 0)[1])


def _deadly(function: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            if function.__name__ == "pwrite":
                descriptor, data, place = arguments
                function(descriptor, bytes(data)[: len(data) // 2], place)
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    return call


def _fork(work: Callable[[], Any]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # other threads wait and hold no lock that matters here
        process = os.fork()
    if process:
        return process
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _ended(status: int) -> bool:
    """Whether a process was killed; AssertionError where it failed in another way."""
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the process failed, see standard error"
    return False
