"""Damage to JSON trees: keys and items dropped, doubled, moved, and values of other types and sizes."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.values import NUMBERS, anything, scalar

Place = tuple[Any, Any]  # a dict or list, and the key or index in it


def damaged(tree: Any, rng: Random, times: int = 1) -> Any:
    """``tree`` with ``times`` operations on nodes taken at random."""
    tree = copy.deepcopy(tree)
    for _ in range(times):
        places = list(_places(tree))
        if not places:
            return anything(rng)
        holder, key = rng.choice(places)
        rng.choice(_OPERATIONS)(holder, key, rng)
    return tree


def _places(tree: Any) -> list[Place]:
    """Every node below the root; a long list counts by a few of its items, so that its neighbours are met too."""
    found: list[Place] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            keys: list[Any] = list(node)
        elif isinstance(node, list):
            keys = list(range(len(node))) if len(node) <= 4 else [0, len(node) // 2, len(node) - 2, len(node) - 1]
        else:
            continue
        found += [(node, key) for key in keys]
        waiting += [node[key] for key in keys]
    return found


def _drop(holder: Any, key: Any, _rng: Random) -> None:
    del holder[key]


def _replace(holder: Any, key: Any, rng: Random) -> None:
    holder[key] = anything(rng)


def _number(holder: Any, key: Any, rng: Random) -> None:
    holder[key] = rng.choice(NUMBERS)


def _scale(holder: Any, key: Any, rng: Random) -> None:
    value = holder[key]
    usable = isinstance(value, int | float) and abs(value) < 1e100
    holder[key] = value * rng.choice((-1, 0, 0.01, 100, 1e-6, 1e6, 1.5)) if usable else scalar(rng)


def _as_text(holder: Any, key: Any, _rng: Random) -> None:
    holder[key] = str(holder[key])[:1000]


def _wrap(holder: Any, key: Any, rng: Random) -> None:
    holder[key] = rng.choice(([holder[key]], {"raw": holder[key]}))


def _shuffle(holder: Any, key: Any, rng: Random) -> None:
    node = holder[key]
    if isinstance(node, list):
        rng.shuffle(node)
    elif isinstance(node, dict):
        items = list(node.items())
        rng.shuffle(items)
        node.clear()
        node.update(items)


def _length(holder: Any, key: Any, rng: Random) -> None:
    node = holder[key]
    if isinstance(node, list):
        holder[key] = rng.choice((node[:-1], node[1:], node[: len(node) // 2], node * 2, [], [*node, None]))


def _twin(holder: Any, key: Any, rng: Random) -> None:
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder[rng.choice((str(key).upper(), f"{key} ", "extra"))] = copy.deepcopy(holder[key])


def _swap(holder: Any, key: Any, rng: Random) -> None:
    other = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


_OPERATIONS: tuple[Callable[[Any, Any, Random], None], ...] = (
    _drop,
    _replace,
    _replace,
    _number,
    _scale,
    _as_text,
    _wrap,
    _shuffle,
    _length,
    _twin,
    _swap,
)
