# SPDX-License-Identifier: Apache-2.0
"""From samples to figures and tables."""

from statistics import median

from harness.servers import FLOOR


def good(samples):
    return [sample for sample in samples if "failed" not in sample]


def round_ratios(samples, floor_samples, key="cpu_us"):
    """Server to floor, round by round; a round counts when both of its samples do."""
    return [
        ours[key] / floor[key]
        for ours, floor in zip(samples, floor_samples)
        if "failed" not in ours and "failed" not in floor and floor[key]
    ]


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values)} if values else None


def summarise(workload, samples):
    """Figures per server from {server: [sample of each round]}."""
    figures = {}
    for name, own in samples.items():
        counted = good(own)
        figure = {"rounds": len(own), "failed": [s["failed"] for s in own if "failed" in s]}
        for key in ("per_second", "cpu_us", "p50_us", "p99_us", "core_share", "others_share",
                    "rss_bytes", "pss_bytes", "base_rss_bytes"):
            figure[key] = spread([sample[key] for sample in counted if key in sample])
        figure["ratio"] = spread(round_ratios(own, samples.get(FLOOR, [])))
        figures[name] = figure
    return {"workload": workload.name, "unit": workload.unit, "gate": workload.gate,
            "servers": figures, "samples": samples}


def number(value):
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def middle(figure, key):
    return number(figure[key]["median"]) if figure[key] else "-"


def ratio_text(figure):
    ratio = figure["ratio"]
    if not ratio:
        return "-"
    return f"×{number(ratio['median'])} [{number(ratio['min'])}–{number(ratio['max'])}]"


def gate_text(name, gate, value):
    if name != "squall" or not gate or value is None:
        return ""
    return f"gate {gate:g}: {'held' if value <= gate else 'MISSED'}"


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1])]
        print("  " + "  ".join(cells + [row[-1]]).rstrip())


def print_workload(workload, summary):
    print(f"\n{workload.name}: {workload.about}")
    if workload.kind == "idle":
        _print_idle(workload, summary)
    else:
        _print_load(workload, summary)
    for name, figure in summary["servers"].items():
        if figure["failed"]:
            print(f"  FAILED {name}: {len(figure['failed'])} of {figure['rounds']} samples:"
                  f" {figure['failed'][0]}")


def _print_load(workload, summary):
    plural = "deliveries" if workload.unit == "delivery" else workload.unit + "s"
    rows = [("server", f"{plural}/s", f"{plural}/CPU s", f"CPU µs/{workload.unit}",
             "× floor, median [min–max]", "p50 µs", "p99 µs", "core %", "others %", "")]
    for name, figure in summary["servers"].items():
        ratio = figure["ratio"] and figure["ratio"]["median"]
        shares = [f"{figure[key]['median'] * 100:.0f}" if figure[key] else "-"
                  for key in ("core_share", "others_share")]
        cpu = figure["cpu_us"] and figure["cpu_us"]["median"]
        rows.append((name, middle(figure, "per_second"), number(cpu and 1e6 / cpu),
                     middle(figure, "cpu_us"),
                     ratio_text(figure), middle(figure, "p50_us"), middle(figure, "p99_us"),
                     *shares, gate_text(name, workload.gate, ratio)))
    print_rows(rows)


def _print_idle(workload, summary):
    rows = [("server", "RSS B/connection", "PSS B/connection", "base RSS KiB",
             "CPU µs to open and use one", "")]
    for name, figure in summary["servers"].items():
        rss = figure["rss_bytes"] and figure["rss_bytes"]["median"]
        base = figure["base_rss_bytes"]
        rows.append((name, middle(figure, "rss_bytes"), middle(figure, "pss_bytes"),
                     number(base["median"] / 1024) if base else "-", middle(figure, "cpu_us"),
                     gate_text(name, workload.gate, rss)))
    print_rows(rows)


def print_ratios(summaries):
    """All ratios at a glance."""
    loads = [summary for summary in summaries if "idle" not in summary["workload"]]
    names = list(dict.fromkeys(name for summary in loads for name in summary["servers"]))
    if not loads:
        return
    print("\nCPU per operation, × floor (median of the rounds' ratios)")
    rows = [("workload", *names, "")]
    for summary in loads:
        cells = []
        for name in names:
            ratio = summary["servers"].get(name, {}).get("ratio")
            cells.append(number(ratio["median"]) if ratio else "-")
        rows.append((summary["workload"], *cells, ""))
    print_rows(rows)
