"""What is to be reached, and whether it is: ratios of one run on one machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scenarios import Bench

Figure = Callable[[Bench], float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table; `figure` gives what was measured, None where that failed."""

    name: str
    at_most: float
    aim: float
    figure: Figure
    unit: str = ""


def ratio(over: str, under: str) -> Figure:
    """Median of one scenario over that of another."""

    def figure(bench: Bench) -> float | None:
        above, below = bench.seconds(over), bench.seconds(under)
        return above / below if above and below else None

    return figure


def to_fact(over: str, fact: str) -> Figure:
    def figure(bench: Bench) -> float | None:
        above, below = bench.seconds(over), bench.facts.get(fact)
        return above / below if above and below else None

    return figure


def peak(name: str) -> Figure:
    return lambda bench: bench.peak_mb(name)


def peak_ratio(over: str, under: str) -> Figure:
    def figure(bench: Bench) -> float | None:
        above, below = bench.peak_mb(over), bench.peak_mb(under)
        return above / below if above and below else None

    return figure


REACH = (
    Line("cold, natural ÷ encode-only", 0.75, 0.5, ratio("cold, natural", "encode-only")),
    Line("cold, natural ÷ floor", 1.6, 1.25, to_fact("cold, natural", "floor")),
    Line("cold, espeak ÷ naive", 0.08, 0.04, ratio("cold, espeak", "naive")),
    Line("warm, unchanged ÷ encode-only", 0.015, 0.01, ratio("warm, natural", "encode-only")),
    Line("tempo changed ÷ encode-only", 0.17, 0.12, ratio("tempo changed", "encode-only")),
    Line(
        "tempo changed, speech known ÷ encode-only", 0.17, 0.12,
        ratio("tempo changed, speech known", "encode-only"),
    ),
    Line("one cue edited ÷ encode-only", 0.08, 0.06, ratio("one cue edited", "encode-only")),
    Line("180 min ÷ 30 min, warm", 4, 2.5, ratio("180 min, warm", "--minutes 30, again")),
    Line(
        "1,000 repetitions ÷ 10, cold", 1.5, 1.15,
        ratio("1000 repetitions, cold", "10 repetitions, cold"),
    ),
    Line("peak memory of any process, 180 min", 300, 200, peak("180 min, cold"), " MB"),
    Line(
        "peak memory, 180 min ÷ 30 min", 1.15, 1.15, peak_ratio("180 min, cold", "cold, natural")
    ),
    Line(
        "arranging 60 minutes, clips known", 0.5, 0.5,
        lambda bench: bench.facts.get("arranging 60 minutes, clips known"), " s",
    ),
    Line("--help ÷ import click", 2, 1.4, ratio("--help", "import click")),
    Line("first bytes, cold ÷ encode-only", 0.15, 0.1, ratio("first bytes, cold", "encode-only")),
    Line(
        "first bytes, warm ÷ whole warm render", 0.8, 0.5,
        ratio("first bytes, warm", "warm, natural"),
    ),
)  # fmt: skip


def judged(bench: Bench) -> list[dict[str, Any]]:
    """Each line with its figure, and ``aim``, ``yes``, ``no`` or ``not measured``."""
    rows = []
    for line in REACH:
        measured = line.figure(bench)
        if measured is None:
            met = "not measured"
        else:
            met = "aim" if measured <= line.aim else "yes" if measured <= line.at_most else "no"
        rows.append(
            {
                "line": line.name,
                "at_most": line.at_most,
                "aim": line.aim,
                "unit": line.unit.strip(),
                "measured": measured,
                "met": met,
            }
        )
    return rows


def table(bench: Bench) -> str:
    """The lines of the reach, as text."""
    rows = [f"{'':<44} {'at most':>9} {'aim':>9} {'measured':>10}  met?"]
    for row in judged(bench):
        unit = f" {row['unit']}" if row["unit"] else ""
        most, aim = (f"{row[key]:g}{unit}" for key in ("at_most", "aim"))
        measured = "–" if row["measured"] is None else f"{row['measured']:.3g}{unit}"
        rows.append(f"{row['line']:<44} {most:>9} {aim:>9} {measured:>10}  {row['met']}")
    return "\n".join(rows)


def seconds(bench: Bench) -> str:
    """Every scenario: median seconds, how many runs, over encode-only and naive, CPU, memory."""
    encode, naive = bench.seconds("encode-only"), bench.seconds("naive")
    rows = [
        f"{'':<44} {'seconds':>9} {'runs':>5} {'÷ encode':>9} {'÷ naive':>9} {'CPU-s':>7} {'MB':>6}"
    ]
    for name, runs in bench.runs.items():
        median = bench.seconds(name) or 0.0
        shares = [f"{median / one:9.3f}" if one else f"{'–':>9}" for one in (encode, naive)]
        cpu, memory = bench.cpu(name), bench.peak_mb(name)
        worked = f"{cpu:7.2f}" if cpu is not None else f"{'–':>7}"
        held = f"{memory:6.0f}" if memory else f"{'–':>6}"
        rows.append(f"{name:<44} {median:9.3f} {len(runs):5} {' '.join(shares)} {worked} {held}")
    rows += [f"{name:<44} {value:9.3f}" for name, value in bench.facts.items()]
    return "\n".join(rows)
