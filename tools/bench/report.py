# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures as a table, as JSON, and as a plot."""
import math
import statistics

from workloads import BY_NAME, EMULATOR, MEANS, RATIOS

LABEL = {"reprise": "Reprise", "reprise-record": "record", "reprise-replay": "replay", "reprise-verify": "verify",
         "qemu-plain": "QEMU plain", "qemu-record": "QEMU record", "qemu-replay": "QEMU replay", "native": "native"}


def median(samples, metric):
    return statistics.median(s[metric] for s in samples) if samples else None


def medians(results, metric):
    """{workload: {emulator: seconds}} from {workload: {emulator: [{wall, cpu}, ..]}}."""
    return {w: {e: median(s, metric) for e, s in of.items() if s} for w, of in results.items()}


def ratio(times, workload, above, below):
    t = times.get(workload, {})
    if t.get(above) is None or not t.get(below):
        return None
    if "native" in (above, below) and not BY_NAME[workload].user:
        return None
    return t[above] / t[below]


def geometric_mean(times, names, above, below):
    found = [r for r in (ratio(times, n, above, below) for n in names) if r]
    return math.exp(statistics.fmean(map(math.log, found))) if found else None


def means(times):
    """{set: {column: geometric mean}} over the workloads of the set that were measured."""
    return {name: {title: geometric_mean(times, names, above, below) for title, above, below in RATIOS}
            for name, names in MEANS.items()}


NOTE = """A:B is B's time over A's: above 1, Reprise is faster.  A/B is A's time over B's.
native: the workloads that are almost only user mode."""


def cell(value, form):
    return "-" if value is None else form % value


def layout(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip()
             for r in rows]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return lines


def seconds_table(times, emulators):
    rows = [["seconds", *(LABEL[e] for e in emulators)]]
    rows += [[w, *(cell(t.get(e), "%.3g") for e in emulators)] for w, t in times.items()]
    return layout(rows)


def ratio_table(times):
    shown = [r for r in RATIOS if any(ratio(times, w, r[1], r[2]) for w in times)]
    if not shown:
        return []
    rows = [["times", *(title for title, _, _ in shown)]]
    rows += [[w, *(cell(ratio(times, w, a, b), "%.2f") for _, a, b in shown)] for w in times]
    for name, of in means(times).items():
        if sum(n in times for n in MEANS[name]) > 1 and any(of[title] for title, _, _ in shown):
            rows.append([f"mean, {name}", *(cell(of[title], "%.2f") for title, _, _ in shown)])
    return layout(rows)


def memory_table(memory):
    """The run of each emulator that held most beyond the guest's RAM."""
    rows = [["MiB", "resident at most", "guest RAM touched", "beyond it", "threads"]]
    for emulator, runs in memory.items():
        most = max(runs, key=lambda m: m["peak"] - m["touched"])
        rows.append([LABEL[emulator], *("%.0f" % (b / 2**20) for b in (
            most["peak"], most["touched"], most["peak"] - most["touched"])), str(most["threads"])])
    return layout(rows)


def text(data):
    lines = []
    for arch, of in data["results"].items():
        times = medians(of["seconds"], data["options"]["metric"])
        emulators = [e for e in EMULATOR if any(e in t for t in times.values())]
        lines += [f"{arch}, {data['options']['metric']} time", "", *seconds_table(times, emulators), "",
                  *ratio_table(times), ""]
        if of["memory"]:
            lines += [*memory_table(of["memory"]), ""]
        if of["verify"]:
            whole = medians({"": of["verify"]}, data["options"]["metric"])[""]
            if len(whole) == 2:
                lines += ["verifying a recording takes %.2f times as long as making it"
                          % (whole["reprise-verify"] / whole["reprise-record"]), ""]
    lines += [NOTE, "", *(f"problem: {p}" for p in data["problems"])]
    return "\n".join(lines).rstrip()


COLOURS = {"reprise": "#9ecae1", "reprise-record": "#2171b5", "reprise-replay": "#6baed6", "qemu-record": "#e6550d",
           "qemu-replay": "#fdae6b", "native": "#31a354"}
LEGEND = {"reprise-record": "Reprise record", "reprise-replay": "Reprise replay"}


def plot(data, path):
    """Speed of each emulator as a multiple of plain QEMU's, one panel for each architecture."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    panels = list(data["results"].items())
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(13, 4.2 * len(panels)), squeeze=False)
    for (arch, of), axis in zip(panels, axes[:, 0]):
        times = medians(of["seconds"], data["options"]["metric"])
        names = [w for w in times if "qemu-plain" in times[w]]
        shown = [e for e in COLOURS if any(ratio(times, w, "qemu-plain", e) for w in names)]
        width = 0.84 / max(1, len(shown))
        for i, e in enumerate(shown):
            bars = [(at, ratio(times, w, "qemu-plain", e)) for at, w in enumerate(names)]
            bars = [(at + (i - (len(shown) - 1) / 2) * width, r) for at, r in bars if r]
            # Bars on a logarithmic axis, from 1: up is faster than plain QEMU.
            axis.bar([at for at, _ in bars], [r - 1 for _, r in bars], width, bottom=1, color=COLOURS[e],
                     label=LEGEND.get(e, LABEL[e]))
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_xlim(-0.6, len(names) - 0.4)
        axis.axhline(1, color="black", linewidth=0.8)
        axis.set_xticks(range(len(names)), names)
        axis.set_ylabel("speed, plain QEMU = 1")
        axis.set_title(f"{arch}, -icount shift={data['options']['shift']}, engine {data['options']['accel']}")
        if shown:
            axis.legend(ncols=len(shown), fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
