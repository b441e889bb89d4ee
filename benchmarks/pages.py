"""Writes docs/benchmarks.md and its pictures from what was measured."""

import math
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import contenders
from contenders import CONTENDERS, CURATED, FLOOR, LARGE, MEMORY, ONE_BY_ONE, PANDAS, PLAIN, POLARS, PYSPARK, WHOLE

TARGETS = (  # what is promised: in words, the scale, how it is worked out, and the most that it may be
    ("whole run, seconds", 1, lambda t: t[WHOLE], 6.0),
    ("whole run, times the same cells in one plain process", 1, lambda t: t[WHOLE] / t[PLAIN], 1.5),
    ("whole run, times plain papermill one by one", 1, lambda t: t[WHOLE] / t[ONE_BY_ONE], 0.65),
    ("landing to curated, times the floor", 100, lambda t: t[CURATED] / t[FLOOR], 2.0),
    ("landing to curated, share of PySpark's time", 100, lambda t: t[CURATED] / t[PYSPARK], 1 / 5),
    ("landing to curated, share of pandas' time", 100, lambda t: t[CURATED] / t[PANDAS], 1 / 5),
    ("landing to curated, times a Polars script", 100, lambda t: t[CURATED] / t[POLARS], 1.0),
    ("whole run, times the floor", LARGE, lambda t: t[WHOLE] / t[FLOOR], 3.0),
)
COLOURS = (
    *("#1f63b5", "#b3261e", "#2e7d32", "#6a1b9a", "#212121", "#ef6c00", "#00838f", "#5d4037", "#455a64", "#ad1457"),
    "#9e9d24",
)


def write(store: dict, folder: Path) -> None:
    """Write the page and the two pictures."""
    (folder / "benchmarks.md").write_text("\n".join(page(store)) + "\n", encoding="utf-8")
    for key, label, unit in (("seconds", "seconds", 1), ("peak", "gigabytes resident, all processes", 1e9)):
        draw(store, key, label, unit, folder / f"benchmarks-{key}.svg")


def middle(store: dict, scale: int, key: str) -> dict[str, float]:
    """The median of each contender at a scale."""
    found = store["scales"].get(str(scale), {"contenders": {}})["contenders"]
    return {name: statistics.median(each[key] for each in rounds) for name, rounds in found.items()}


def page(store: dict) -> Iterator[str]:
    """The lines of the page."""
    machine = store["machine"]
    yield "# Benchmarks\n"
    given = "make bench FULL=1" if str(LARGE) in store["scales"] else "make bench"
    yield (
        f"Measured on {machine['date']} by `{given}`: {machine['system']}, {machine['processors']} processors, "
        f"{machine['memory']}, Python {machine['python']}.\nEvery contender runs in processes of its own, "
        "in interleaved rounds. Times are medians, memory is the highest sum over the\nwhole tree of processes. `cpu` "
        "is the time of all processors, which suffers less from what else a machine does.\n"
    )
    loads = [each for at in store["scales"].values() for each in at.get("load", [])]
    if loads:
        yield (
            f"**What else the machine did**: when a measurement began, its load was {statistics.median(loads):.1f} at "
            f"the median and {max(loads):.1f} at most,\nthe measurement before included. Where it is above the number "
            "of processors, compare ratios and processor times,\nnot seconds.\n"
        )
    if store.get("notes"):
        yield "\n".join(store["notes"]) + "\n"
    yield "## What was promised\n"
    yield from promises(store)
    for scale in sorted(map(int, store["scales"])):
        yield from table(store, scale)
    yield "## Growth\n"
    yield from growth(store)
    yield "\n![Time against rows](benchmarks-seconds.svg)\n\n![Memory against rows](benchmarks-peak.svg)\n"
    versions = ", ".join(f"{name} {machine[name]}" for name in machine if name not in
                         ("date", "system", "processors", "memory", "python"))  # fmt: skip
    yield f"Versions: {versions}.\nContenders: `benchmarks/contenders.py`; every figure: `benchmarks/measured.json`."


def promises(store: dict) -> Iterator[str]:
    """What was promised, and what came out."""
    yield "| what | scale | at most | by the clock | by processor time | by the clock it | round by round |"
    yield "|---|--:|--:|--:|--:|---|---|"
    for what, scale, worked_out, most in TARGETS:
        values = [_or_none(worked_out, middle(store, scale, key)) for key in ("seconds", "cpu")]
        if values[0] is None:
            continue
        verdict = "holds" if values[0] <= most else "does not hold"
        shown = " | ".join("–" if value is None else f"{value:.2f}" for value in values)
        yield f"| {what} | {scale} | {most:.2f} | {shown} | {verdict} | {by_round(store, scale, worked_out)} |"
    small, large = middle(store, 1, "seconds"), middle(store, 100, "seconds")
    if WHOLE in small and WHOLE in large:
        most = small[WHOLE] + 2 * large[FLOOR]
        verdict = "holds" if large[WHOLE] <= most else "does not hold"
        what, cpu = "whole run, seconds (the small run and twice the floor)", middle(store, 100, "cpu")[WHOLE]
        spread = by_round(store, 100, lambda t: t[WHOLE])
        yield f"| {what} | 100 | {most:.2f} | {large[WHOLE]:.2f} | {cpu:.2f} | {verdict} | {spread} |"
    peak = middle(store, LARGE, "peak").get(WHOLE)
    if peak:
        verdict = "holds" if peak <= 3.5e9 else "does not hold"
        what = f"whole run with `--memory-limit {MEMORY}`, GB of all processes"
        yield f"| {what} | {LARGE} | 3.50 | {peak / 1e9:.2f} | – | {verdict} | – |"
        slope = exponent(store, WHOLE, (100, LARGE), "seconds")
        verdict = "holds" if slope <= 1.1 else "does not hold"
        by_cpu = exponent(store, WHOLE, (100, LARGE), "cpu")
        what = f"growth exponent of the whole run | 100 to {LARGE}"
        yield f"| {what} | 1.10 | {slope:.2f} | {by_cpu:.2f} | {verdict} | – |"
    yield ""


def by_round(store: dict, scale: int, worked_out: Callable[[dict], float]) -> str:
    """The lowest and the highest of what came out by the clock; who was measured once stands in every round."""
    found = store["scales"][str(scale)]["contenders"]
    rounds = range(max(map(len, found.values())))
    at = [{name: each[min(number, len(each) - 1)]["seconds"] for name, each in found.items()} for number in rounds]
    values = [worked_out(each) for each in at]
    return f"{min(values):.2f} to {max(values):.2f}" if len(values) > 1 else "–"


def _or_none(worked_out: Callable[[dict], float], found: dict[str, float]) -> float | None:
    try:
        return worked_out(found)
    except KeyError:
        return None


def table(store: dict, scale: int) -> Iterator[str]:
    """What was measured at a scale."""
    at = store["scales"][str(scale)]
    yield f"## Scale {scale}: {at['rows']:,} lines, {at['bytes'] / 1e9:.2f} GB of JSON in {at['files']} files\n"
    limited = f" The engines were given `--memory-limit {MEMORY}`." if scale >= LARGE else ""
    if "sample" in at:
        made = at["sample"]
        took = f"{made['seconds']:.1f} s ({made['cpu']:.1f} s cpu) and {made['peak'] / 1e9:.2f} GB"
        yield f"Generating it took {took}.{limited}\n"
    elif limited:
        yield f"{limited.strip()}\n"
    yield "| contender | what it is | seconds | cpu | peak GB | rounds |\n|---|---|--:|--:|--:|--:|"
    seconds, cpu, peak = (middle(store, scale, key) for key in ("seconds", "cpu", "peak"))
    about = {each.name: each.about for each in CONTENDERS}
    for name in sorted(seconds, key=seconds.__getitem__):
        rounds = len(at["contenders"][name])
        yield f"| {name} | {about[name]} | {seconds[name]:.2f} | {cpu[name]:.2f} | {peak[name] / 1e9:.2f} | {rounds} |"
    yield ""


def growth(store: dict) -> Iterator[str]:
    """The exponent b of seconds = a * rows ** b, fitted over the larger scales, where starting up counts for little."""
    yield "Exponent *b* of `time = a · rows^b`, by least squares on the logarithms, from scale 10 on:\n"
    yield "| contender | scales | by the clock | by processor time |\n|---|---|--:|--:|"
    for each in CONTENDERS:
        scales = [s for s in sorted(map(int, store["scales"])) if s >= 10 and each.name in middle(store, s, "seconds")]
        if len(scales) > 1:
            slopes = [exponent(store, each.name, tuple(scales), key) for key in ("seconds", "cpu")]
            yield f"| {each.name} | {', '.join(map(str, scales))} | {slopes[0]:.2f} | {slopes[1]:.2f} |"


def exponent(store: dict, name: str, scales: tuple[int, ...], key: str) -> float:
    """The slope of the line through the logarithms."""
    points = [(math.log(store["scales"][str(s)]["rows"]), math.log(middle(store, s, key)[name])) for s in scales]
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def draw(store: dict, key: str, label: str, unit: float, path: Path) -> None:
    """One picture: each contender a line, both axes logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "stedi"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    scales = sorted(map(int, store["scales"]))
    for each, colour in zip(CONTENDERS, COLOURS, strict=True):
        points = [(store["scales"][str(s)]["rows"], middle(store, s, key)[each.name] / unit)
                  for s in scales if each.name in middle(store, s, key)]  # fmt: skip
        if points:
            ours = "this project" in each.about or each.name in (contenders.CURATED, contenders.WHOLE)
            axes.loglog(
                *zip(*points, strict=True), marker="o", color=colour, linewidth=2.5 if ours else 1.2, label=each.name
            )
    axes.set(xlabel="lines of landing JSON", ylabel=label)
    axes.grid(which="major", alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
