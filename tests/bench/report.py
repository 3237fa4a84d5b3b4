"""Figures as a table for people, JSON for programs and a picture for the documentation."""

import json
import os
import shutil
import statistics
import subprocess

COLOURS = {"sinkholed": "#1b7837", "no log": "#7fbf7b", "responder": "#9e9e9e", "smtp-sink": "#c2671c"}


def median_ratio(ours, theirs):
    """Of two lists that were measured in turn: what slows the machine slows both of a pair."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def summary(on_one, on_all):
    """Each {contender: [(cpu, rate), ...]} of one load; to medians and ratios."""
    cpu = {name: [cost for cost, _ in rounds] for name, rounds in on_one.items()}
    rate = {name: [speed for _, speed in rounds] for name, rounds in on_all.items()}
    row = {name: {"cpu_us": statistics.median(cpu[name]),
                  "cpu_us_all": statistics.median(cost for cost, _ in on_all[name]),
                  "per_second": statistics.median(rate[name])} for name in cpu}
    for name in cpu:
        if name != "sinkholed":
            row[name]["cpu_ratio"] = median_ratio(cpu["sinkholed"], cpu[name])
            row[name]["rate_ratio"] = median_ratio(rate["sinkholed"], rate[name])
    row["no log"]["cpu_of_responder"] = median_ratio(cpu["no log"], cpu["responder"])
    row["no log"]["rate_of_responder"] = median_ratio(rate["no log"], rate["responder"])
    return row


NAMES = ["sinkholed", "no log", "responder", "smtp-sink"]
MODELS = NAMES[2:]


def line(cells):
    return "| " + " | ".join(cells) + " |"


def table(figures, what, ratio, form):
    """Markdown of one figure: each contender, then ours in units of the others'."""
    lines = [line(["load", *NAMES, "x responder", "x smtp-sink", "no log x responder"]),
             "|---|" + "---:|" * 7]
    for load in figures["loads"]:
        row = load["figures"]
        lines.append(line([load["title"], *(f"{row[name][what]:{form}}" for name in NAMES),
                           *(f"{row[name][ratio]:.2f}" for name in MODELS),
                           f"{row['no log'][ratio.replace('ratio', 'of_responder')]:.2f}"]))
    return lines


def latencies(figures):
    names = ["sinkholed", *MODELS]
    lines = [line(["sessions at once", *(f"{name} p50 | p99" for name in names)]),
             "|---|" + "---:|" * 6]
    for at_once in sorted({run["at_once"] for run in figures["latency"]}):
        runs = {run["server"]: run for run in figures["latency"] if run["at_once"] == at_once}
        lines.append(line([str(at_once), *(f"{runs[n]['p50_us'] / 1000:.2f} | "
                                           f"{runs[n]['p99_us'] / 1000:.2f}" for n in names)]))
    return lines


def text(figures):
    """All of it, as Markdown, which reads well in a terminal too."""
    return "\n".join([
        "CPU time for one message, us:", "", *table(figures, "cpu_us", "cpu_ratio", ".1f"), "",
        "Messages a second:", "", *table(figures, "per_second", "rate_ratio", ".0f"), "",
        "Time of a one-message session, ms:", "", *latencies(figures), "",
        *(f"- {name.replace('_', ' ')}: " + ", ".join(
            f"{key} {round(value, 1) if isinstance(value, float) else value}"
            for key, value in figures[name].items())
          for name in ("one_shot_us", "idle", "ready", "held"))])


def plot(figures, svg):
    """Bars of CPU a message by load, each in units of smtp-sink; needs gnuplot."""
    data = [f'"{load["name"]}" ' +
            " ".join(str(load["figures"][n]["cpu_us"] / load["figures"]["smtp-sink"]["cpu_us"])
                     for n in NAMES) for load in figures["loads"]]
    bars = ", ".join(f'$data using {i + 2}:xtic(1) title "{name}" linecolor "{COLOURS[name]}"'
                     for i, name in enumerate(NAMES))
    script = f"""
$data << END
{chr(10).join(data)}
END
set terminal svg size 860,380 background "white" font "sans,13"
set output "{svg}"
set title "Server CPU for one message (user and system), smtp-sink = 1"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set yrange [0:*]
set ytics nomirror
set xtics nomirror scale 0
set grid ytics linecolor "#dddddd"
set border 3
set key top left horizontal
plot {bars}
"""
    subprocess.run(["gnuplot"], input=script.encode(), check=True)
    with open(svg, encoding="utf-8") as file:
        tidy = [row.rstrip() for row in file]
    with open(svg, "w", encoding="utf-8") as file:
        file.write("\n".join(tidy) + "\n")


def write(figures, out):
    """Writes bench.json, bench.md and, with gnuplot, bench.svg into a directory."""
    os.makedirs(out, exist_ok=True)
    with open(f"{out}/bench.json", "w", encoding="ascii") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")
    with open(f"{out}/bench.md", "w", encoding="utf-8") as file:
        file.write(text(figures) + "\n")
    if shutil.which("gnuplot"):
        plot(figures, f"{out}/bench.svg")
    else:
        print("bench: no plot, gnuplot is missing (make deps bench)")
