"""Medians, tables and the machine-readable file."""
import json
import os
import platform
import statistics


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def ratio(value, base):
    return None if value is None or not base else value / base


def shown(value, form="{:.2f}"):
    return "-" if value is None else form.format(value)


def table(head, rows, left=1):
    """Text columns: the first `left` are left-aligned, the others right-aligned."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row):
        return "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths)))

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def machine():
    model = ""
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    load = os.getloadavg()
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load_at_start": [round(x, 2) for x in load]}


def write(path, document):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as out:
        json.dump(document, out, indent=1)
        out.write("\n")
