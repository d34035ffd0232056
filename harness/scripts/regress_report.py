"""The report of a regression: a table for people, JSON for programs and mmu86 diff, JUnit XML for CI."""
import json
import re
import xml.etree.ElementTree as ET

LOG_TAIL = 4000    # bytes of a failed test's log in the XML
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path, text):
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def suite_of(row):
    return row["name"].split(".")[0]


def figure(row, key):
    return row.get("figures", {}).get(key)


def totals(rows):
    return {key: sum(figure(row, key) or 0 for row in rows) for key in ("instructions", "references", "walks")}


def write_json(path, verdict, rows, changes):
    """Tests by name; what is not time is the same in every run of the same programs."""
    tests = {row["name"]: row.get("figures", {}) | {key: row[key] for key in ("verdict", "why", "seconds")} for row in rows}
    write(path, json.dumps({"verdict": verdict, "failed": sum(row["verdict"] == "fail" for row in rows),
                            "skipped": sum(row["verdict"] == "skipped" for row in rows), "changes": changes,
                            "total": totals(rows), "tests": tests}, indent=1) + "\n")


def clean(text):
    return NOT_XML.sub("?", text)


def log_tail(out, row):
    try:
        return (out / f"{row['name']}.log").read_bytes()[-LOG_TAIL:].decode("utf-8", "replace")
    except OSError:
        return ""


def add_case(parent, name, seconds):
    return ET.SubElement(parent, "testcase", classname=name.split(".")[0], name=clean(name), time=f"{seconds:.1f}")


def write_junit(path, out, rows, changes):
    root = ET.Element("testsuites", name="mmu86 regress")
    for suite in dict.fromkeys(suite_of(row) for row in rows):
        own = [row for row in rows if suite_of(row) == suite]
        element = ET.SubElement(root, "testsuite", name=suite, tests=str(len(own)), errors="0",
                                failures=str(sum(row["verdict"] == "fail" for row in own)),
                                skipped=str(sum(row["verdict"] == "skipped" for row in own)),
                                time=f"{sum(row['seconds'] for row in own):.1f}")
        for row in own:
            case = add_case(element, row["name"], row["seconds"])
            if row["verdict"] == "skipped":
                ET.SubElement(case, "skipped", message=clean(row["why"]))
            if row["verdict"] == "fail":
                kind = row["why"].split(":")[0] if row["why"].startswith(("timeout", "crash")) else "failure"
                ET.SubElement(case, "failure", type=kind, message=clean(row["why"])).text = clean(log_tail(out, row))
    if changes is not None:
        element = ET.SubElement(root, "testsuite", name="baseline", tests=str(max(1, len(changes))), errors="0",
                                failures=str(len(changes)), skipped="0", time="0.0")
        for i, line in enumerate(changes):
            ET.SubElement(add_case(element, f"baseline.{i}", 0), "failure", type="changed", message=clean(line))
        if not changes:
            add_case(element, "baseline.same", 0)
    for key in ("tests", "failures", "skipped"):
        root.set(key, str(sum(int(suite.get(key)) for suite in root)))
    ET.indent(root)
    write(path, ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def cell(value):
    return f"{value:,}" if isinstance(value, int) else "-"


def print_table(rows):
    width = max([len(row["name"]) for row in rows] + [20])
    print(f"{'test':<{width}} {'instructions':>14} {'references':>14} {'walks':>12} {'seconds':>8}")
    for row in rows:
        said = row["verdict"] if row["verdict"] == "pass" else f"{row['verdict'].upper()}: {row['why']}"
        print(f"{row['name']:<{width}} {cell(figure(row, 'instructions')):>14} {cell(figure(row, 'references')):>14} "
              f"{cell(figure(row, 'walks')):>12} {row['seconds']:>8.1f}  {said}{' (kept)' if row.get('kept') else ''}")
    total = totals(rows)
    print(f"{'all':<{width}} {total['instructions']:>14,} {total['references']:>14,} {total['walks']:>12,} "
          f"{sum(row['seconds'] for row in rows):>8.1f}")
