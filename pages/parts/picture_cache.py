"""What is made of a picture once for all viewers, and kept as long as the picture is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from core.frames import Picture

Answer = TypeVar("Answer")
Arguments = ParamSpec("Arguments")

MOST_KEPT = 200
"""Answers to different arguments that are kept of one picture: while the database is away it stays for long,
and everybody may search it."""


def once_a_picture(
    make: Callable[Concatenate[Picture, Arguments], Answer],
) -> Callable[Concatenate[Picture, Arguments], Answer]:
    """The function, which is called once for each picture and other arguments, by position."""
    kept: WeakKeyDictionary[Picture, dict[Any, Answer]] = WeakKeyDictionary()
    making = Lock()

    @wraps(make)
    def find(picture: Picture, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        assert not kwargs
        with making:
            answers = kept.setdefault(picture, {})
            if args not in answers:
                if len(answers) >= MOST_KEPT:
                    answers.clear()
                answers[args] = make(picture, *args, **kwargs)
            return answers[args]

    return find
