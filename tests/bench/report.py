"""Figures as a table for people, JSON for programs and a picture for the documentation."""

import json
import os
import shutil
import statistics
import subprocess

COLOURS = {"sinkholed": "#1b7837", "responder": "#9e9e9e", "smtp-sink": "#c2671c"}


def median_ratio(ours, theirs):
    """Of two lists that were measured in turn: what slows the machine slows both of a pair."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def summary(samples):
    """samples: {contender: [(cpu, rate), ...]} of one load, to medians and ratios."""
    columns = {name: list(zip(*rounds)) for name, rounds in samples.items()}
    row = {name: {"cpu_us": statistics.median(cpu), "per_second": statistics.median(rate)}
           for name, (cpu, rate) in columns.items()}
    ours = columns["sinkholed"]
    for name, theirs in columns.items():
        if name != "sinkholed":
            row[name]["cpu_ratio"] = median_ratio(ours[0], theirs[0])
            row[name]["rate_ratio"] = median_ratio(ours[1], theirs[1])
    return row


def table(figures):
    """Lines for a terminal and for Markdown alike."""
    names = ["sinkholed", "responder", "smtp-sink"]
    lines = ["| load | CPU us/message: " + " | ".join(names) + " | x responder | x smtp-sink"
             " | messages/s: " + " | ".join(names) + " | x responder | x smtp-sink |",
             "|---" * 11 + "|"]
    for load in figures["loads"]:
        row = load["figures"]
        cells = [load["title"]]
        for what, ratio, form in (("cpu_us", "cpu_ratio", ".1f"),
                                  ("per_second", "rate_ratio", ".0f")):
            cells += [f"{row[name][what]:{form}}" for name in names]
            cells += [f"{row[name][ratio]:.2f}" for name in names[1:]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(figures, svg):
    """Bars of CPU a message by load, each in units of smtp-sink; needs gnuplot."""
    names = ["sinkholed", "responder", "smtp-sink"]
    data = [f'"{load["name"]}" ' +
            " ".join(str(load["figures"][n]["cpu_us"] / load["figures"]["smtp-sink"]["cpu_us"])
                     for n in names) for load in figures["loads"]]
    bars = ", ".join(f'$data using {i + 2}:xtic(1) title "{name}" linecolor "{COLOURS[name]}"'
                     for i, name in enumerate(names))
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


def write(figures, out):
    """Writes bench.json, bench.md and, with gnuplot, bench.svg into a directory."""
    os.makedirs(out, exist_ok=True)
    with open(f"{out}/bench.json", "w", encoding="ascii") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")
    with open(f"{out}/bench.md", "w", encoding="utf-8") as file:
        file.write(table(figures) + "\n")
    if shutil.which("gnuplot"):
        plot(figures, f"{out}/bench.svg")
    else:
        print("bench: no plot, gnuplot is missing (make deps bench)")
