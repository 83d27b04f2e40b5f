"""Which answers are damaged, and how: a function of the seed and of what was asked, whatever thread asks when."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.fuzz.charts import damaged_chart
from tests.fuzz.texts import damaged_text
from tests.fuzz.trees import damaged
from tests.fuzz.values import token
from tests.fuzz.wire import damaged_wire
from tests.replay.faults import Source
from tests.replay.messages import JSON, Answer, Request

type Damage = Callable[[Answer, Random], Answer]

_LISTING = re.compile(r".*/(\d{4}-\d{2}-\d{2})\.csv")


def payload_of(source: Source, request: Request) -> str | None:
    """The name of what ``request`` asks for: a ticker, a series and a part of it, a day, an exchange; None for none."""
    last = request.path.rpartition("/")[2]
    match source:
        case Source.YAHOO:
            return last if "period1" in request.query else None
        case Source.NAVER:
            return request.query.get("symbol")
        case Source.FRED:
            return f"{request.query.get('series_id', '').partition('&')[0]} {last}"
        case Source.KRX:
            day = _LISTING.fullmatch(request.path)
            return day[1] if day else last
        case Source.LISTING:
            return last
        case Source.OTHER:
            return None


def subject_of(name: str) -> str:
    """Whom a payload is about: a series has several."""
    return name.partition(" ")[0]


@dataclass
class Payloads:
    """What the replay sends instead of the answers of ``source``; ``served`` counts the damaged ones by name.

    Those about ``spared`` are left alone, and with ``only`` all but these. Now and then a body of ``recorded`` takes
    the answer's place before it is damaged.
    """

    seed: str
    source: Source
    damage: Damage
    spared: Collection[str] = ()
    only: Collection[str] | None = None
    recorded: Mapping[str, bytes] = field(default_factory=dict)
    share: float = 1.0  # of the answers, damaged
    served: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, source: Source, request: Request, answer: Answer) -> Answer:
        """The answer that is sent."""
        name = payload_of(source, request) if source is self.source else None
        if name is None or subject_of(name) in self.spared or (self.only is not None and name not in self.only):
            return answer
        rng = Random(f"{self.seed} {name}")
        if rng.random() >= self.share:
            return answer
        with self._lock:
            self.served[name] += 1
        if self.recorded and rng.random() < 0.15:
            answer = answer.but(body=self.recorded[rng.choice(sorted(self.recorded))])
        return self.damage(answer, rng)


def chart_damage(answer: Answer, rng: Random) -> Answer:
    """Of a Yahoo chart."""
    return _json_damage(answer, rng, damaged_chart)


def rows_damage(answer: Answer, rng: Random) -> Answer:
    """Of a JSON list of rows."""
    return _json_damage(answer, rng, lambda body, rng: damaged(body, rng, rng.choice((1, 2, 5, 20))))


def text_damage(answer: Answer, rng: Random) -> Answer:
    """Of CSV and XML."""
    if rng.random() < 0.25:
        return damaged_wire(answer, rng)
    encoding = "euc-kr" if "EUC-KR" in answer.content_type else "utf-8"
    text = damaged_text(answer.body.decode(encoding, errors="replace"), rng)
    return answer.but(body=text.encode(encoding, errors="replace"))


def listing_damage(answer: Answer, rng: Random) -> Answer:
    """Of a listing of KRX, mostly of its bytes: one that can be read takes the job ten times as long."""
    return damaged_wire(answer, rng) if rng.random() < 0.5 else text_damage(answer, rng)


def rows_of(codes: Collection[str]) -> Damage:
    """Damage of CSV lines that begin with a number and one of ``codes``, and of nothing else."""

    def damage(answer: Answer, rng: Random) -> Answer:
        head, *lines = answer.body.decode().split("\n")
        for place in rng.sample(range(len(lines)), min(len(lines), rng.randint(1, 4))):
            if lines[place].split(",")[1:2] and lines[place].split(",")[1] in codes:
                lines[place] = _damaged_row(lines[place], rng)
        return answer.but(body="\n".join([head, *lines]).encode(errors="replace"))

    return damage


def _damaged_row(line: str, rng: Random) -> str:
    fields = line.split(",")
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(2, len(fields))
        old = fields[place]
        new = token(rng).translate(str.maketrans("", "", ',"\r\n'))
        fields[place] = rng.choice((new, new, f"-{old}", f"{old}00", f"{old}.5", "", "0", "-"))
    return ",".join(fields)


def _json_damage(answer: Answer, rng: Random, special: Callable[[Any, Random], Any]) -> Answer:
    kind = rng.random()
    if kind < 0.15:
        return damaged_wire(answer, rng)
    body = json.loads(answer.body)
    if kind < 0.8:
        body = special(body, rng)
    if kind >= 0.7:
        body = damaged(body, rng, rng.choice((1, 1, 2, 5)))
    written = answer.but(body=json.dumps(body, ensure_ascii=rng.random() < 0.9).encode(errors="replace"))
    return damaged_wire(written, rng) if kind > 0.97 else written.but(content_type=JSON)
