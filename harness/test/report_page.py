#!/usr/bin/env python3
"""Looks at pages of mmu86 report in headless Chromium.

usage: report_page.py CASE MMU86 KERNEL PAGED     CASE: a function case_* below; PAGED: a device with a TLB of its own kind
"""
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from browser import Browser, pixels

PAGED = None
CHARTS = ["timeline", "origins", "vectors", "cycles", "mapping", "coverage", "compare"]

# What a page looks like when it is drawn: for each picture its texts and shapes in its own units, and colours as they are.
LOOK = r"""
const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
const charts = {};
for (const svg of document.querySelectorAll("svg")) {
  const size = svg.viewBox.baseVal, place = svg.getBoundingClientRect();
  const box = (e) => { const b = e.getBBox(); return [b.x, b.y, b.width, b.height]; };
  charts[svg.id] = {
    size: [size.width, size.height],
    place: [place.x + scrollX, place.y + scrollY, place.width, place.height],
    label: svg.getAttribute("aria-label"),
    texts: [...svg.querySelectorAll("text")].map((e) => [e.textContent, box(e), rgb(getComputedStyle(e).fill)]),
    shapes: [...svg.querySelectorAll("rect, line, path")].map((e) => {
      const style = getComputedStyle(e);
      return [e.tagName, e.getAttribute("class"), box(e), e.id, (e.getAttribute("d") || "").split("H").length - 1,
              rgb(e.tagName === "rect" ? style.fill : style.stroke)];
    }),
    attributes: [...svg.querySelectorAll("*")].flatMap((e) => [...e.attributes].map((a) => [a.name, a.value])),
  };
}
const sections = {};
for (const s of document.querySelectorAll("section"))
  sections[s.id] = {text: s.innerText, missing: s.querySelectorAll(".missing").length, charts: s.querySelectorAll("svg").length,
                    rows: [...s.querySelectorAll("tbody")].map((t) => t.rows.length)};
return {charts, sections, order: Object.keys(sections), text: document.body.innerText, elements: [...document.querySelectorAll("*")].map((e) => e.tagName),
        paper: rgb(getComputedStyle(document.body).backgroundColor), ink: rgb(getComputedStyle(document.body).color),
        overflows: document.documentElement.scrollWidth > innerWidth};
"""


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"FAILED: {command}: exit status {done.returncode}\n{done.stdout}")


def luminance(colour):
    parts = [c / 255 for c in colour[:3]]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# --- what a result wants of its page ---


def expected(result, coverage, changes):
    """Chart -> {what is counted: how many}, from the result alone; a chart that is not there is not expected."""
    want = {}
    if "timeline" in result:
        t = result["timeline"]
        points = len(t["faults"])
        told = t["tlb_hits"] is not None
        looked_up = sum(1 for hit, miss in zip(t["tlb_hits"], t["tlb_misses"]) if hit + miss) if told else 0
        want["timeline"] = {"line-misses": looked_up, "line-walks": 0 if told or t["walks"] is None else points, "rows": points}
        for key, line in (("entries_4k", "line-entries-4k"), ("entries_4m", "line-entries-4m"), ("dut_cycles", "line-cycles")):
            if key in t:
                want["timeline"][line] = points
    if result.get("origins"):
        shown = [o for o in result["origins"].values() if o["walks"] or o["faults"]]
        untold = all(o["walks"] is None for o in result["origins"].values())
        want["origins"] = {"bar-walks": 0 if untold else len(shown), "bar-faults": len(shown), "rows": len(result["origins"])}
    if result.get("faults_by_vector"):
        n = len(result["faults_by_vector"])
        want["vectors"] = {"bar-vectors": n, "rows": n}
    if result.get("cycle_histogram"):
        n = sum(len(c["counts"]) for c in result["cycle_histogram"].values())
        want["cycles"] = {"bar-cycles": n, "rows": n}
    if result.get("page_tables", {}).get("runs"):
        want["mapping"] = {"run": drawn_runs(result["page_tables"]["runs"]), "rows": len(result["page_tables"]["runs"])}
    if coverage:
        want["coverage"] = {"bar-coverage": coverage, "rows": coverage}
    if changes is not None:
        want["compare"] = {"bar-change": min(16, changes)}
    return want


def drawn_runs(runs):
    """How many runs a picture of at most 40 tables shows: 8 of a table with no more, else 7."""
    tables = {}
    for i, r in enumerate(runs):
        tables.setdefault(r.get("table", f"large {i}"), []).append(r)
    assert len(tables) <= 40 and all(t[0]["pages"] < 1024 for t in tables.values()), "the test's own reckoning is simple"
    return sum(len(t) if len(t) <= 8 else 7 for t in tables.values())


def meet(a, b):
    """Whether two boxes have more than a pixel in common."""
    return all(min(a[i] + a[i + 2], b[i] + b[i + 2]) - max(a[i], b[i]) > 1 for i in (0, 1))


def chart_problems(name, chart, want, paper):
    """What is wrong with one picture as it is drawn."""
    width, height = chart["size"]
    for text, box, colour in chart["texts"]:
        if not text.strip():
            yield f"{name}: an empty label"
        if box[0] < 0 or box[1] < 0 or box[0] + box[2] > width or box[1] + box[3] > height:
            yield f"{name}: \"{text}\" is not within the picture"
        if contrast(colour, paper) < 4.5:
            yield f"{name}: \"{text}\": contrast {contrast(colour, paper):.1f}"
    for i, (text, box, _) in enumerate(chart["texts"]):
        for other, place, _ in chart["texts"][:i]:
            if meet(box, place):
                yield f"{name}: \"{text}\" is over \"{other}\""
    for tag, classes, box, ident, _, colour in chart["shapes"]:
        if box[0] < -1 or box[1] < -1 or box[0] + box[2] > width + 1 or box[1] + box[3] > height + 1:
            yield f"{name}: a {tag} ({ident or classes}) is not within the picture"
        if re.search(r"\b(line|fill)\b", classes) and contrast(colour, paper) < 3:
            yield f"{name}: {classes}: contrast {contrast(colour, paper):.1f}"
    for attribute, value in chart["attributes"]:
        if attribute not in ("class", "aria-label", "id", "role") and re.search("nan|inf|null|undefined|%|[0-9]e[+-]", value.lower()):
            yield f"{name}: {attribute}=\"{value}\""
    for what, n in want.items():
        if what == "rows":
            continue
        steps = [s[4] for s in chart["shapes"] if s[3] == what]
        found = sum(steps) if what.startswith("line") else sum(what in s[1].split() for s in chart["shapes"])
        if found != n:
            yield f"{name}: {found} of {what}, expected {n}"
    if not chart["label"]:
        yield f"{name}: nothing for a screen reader"


def page_problems(seen, want):
    """What is wrong with the page as it is drawn."""
    paper = seen["paper"]
    if contrast(seen["ink"], paper) < 7:
        yield f"text: contrast {contrast(seen['ink'], paper):.1f}"
    if seen["overflows"]:
        yield "the page is wider than the window"
    for tag in ("SCRIPT", "IMG", "IFRAME", "LINK", "OBJECT", "EMBED", "VIDEO", "AUDIO", "FORM", "BASE"):
        if tag.lower() in (e.lower() for e in seen["elements"]):
            yield f"there is a {tag}"
    if seen["order"] != CHARTS:
        yield f"sections: {seen['order']}"
    for name, section in seen["sections"].items():
        chart = seen["charts"].get("chart-" + name)
        if name in want and not chart:
            yield f"{name}: no picture"
        elif name in want:
            yield from chart_problems(name, chart, want[name], paper)
            if "rows" in want[name] and section["rows"] != [want[name]["rows"]]:
                yield f"{name}: rows {section['rows']}, expected {want[name]['rows']}"
        elif chart:
            yield f"{name}: a picture of nothing"
        elif not section["missing"]:
            yield f"{name}: no word of why there is no picture"


def blank_problems(browser, seen, dark):
    """Pictures that show next to nothing; small ones are enough to see that."""
    height = browser.script("return document.documentElement.scrollHeight")
    colours = pixels(browser.picture(0, 0, 1280, height, 0.125))
    paper = max(colours, key=colours.get)
    if (sum(paper) < 3 * 64) != dark or (sum(paper) > 3 * 192) == dark:
        yield f"the paper is {tuple(paper)}"
    if len(colours) < 100:
        yield f"the page has {len(colours)} colours"
    for name, chart in seen["charts"].items():
        x, y, width, height = chart["place"]
        colours = pixels(browser.picture(x, y, width, height, 0.125))
        if len(colours) < 20 or colours.get(paper, 0) > 0.995 * sum(colours.values()):
            yield f"{name}: is blank: {len(colours)} colours"


def text_problems(text):
    """What is wrong with the page's text, before a browser is kind to it."""
    try:
        xml.etree.ElementTree.fromstring(re.sub("^<!DOCTYPE html>", "", text))
    except xml.etree.ElementTree.ParseError as error:
        yield f"not well-formed: {error}"
    for address in re.findall(r"(?:src|href|action|data)\s*=\s*[\"']([^#\"'][^\"']*)", text) + re.findall(r"@import|url\(", text):
        yield f"something from elsewhere: {address}"


def problems(browser, page, want, darks=(False, True)):
    """Everything that is wrong with a page."""
    found = list(text_problems(page.read_text()))
    for dark in darks:  # False: light
        browser.open(page, dark=dark)
        seen = browser.script(LOOK)
        console, addresses = browser.events()
        found += [f"console: {line}" for line in console]
        found += [f"request: {address}" for address in addresses if address != page.resolve().as_uri()]
        found += list(page_problems(seen, want)) + list(blank_problems(browser, seen, dark))
    return found


def check(browser, page, want):
    """The page must be right. Returns its text."""
    if found := problems(browser, page, want):
        sys.exit("FAILED: " + "\n".join(dict.fromkeys(found)))
    return browser.script("return document.body.innerText")


def says(text, *phrases):
    for phrase in phrases:
        if phrase not in text:
            sys.exit(f"FAILED: the page does not say \"{phrase}\":\n{text[:2000]}")


def load(path):
    return json.loads(path.read_text())


# --- the cases ---


def make(mmu86, kernel, where, extra=()):
    """A run with everything: coverage, and a baseline that differs."""
    result, baseline = where / "run.json", where / "baseline.json"
    run(mmu86, "run", kernel, "--append", "workload=fork quick", "--json", result, "--quiet", *extra)
    run(mmu86, "run", kernel, "--append", "workload=boot quick", "--json", baseline, "--quiet")
    return result, baseline


def coverage_of_everything(mmu86, where):
    """A file as make coverage writes it, of a short stimulus and a few lines."""
    run(mmu86, "fuzz", "--count", "3000", "--coverage", where / "functional", "--quiet")
    run(mmu86, "coverage", "report", where / "functional", "--quiet", "--json", where / "functional.json")
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))
    import coverage  # pylint: disable=import-outside-toplevel
    code = {"mmu.sv": {"lines": {1: 5, 2: 0, 3: 1}, "branches": {("2:1", "if"): 1}, "toggles": {("1:1", "a"): 1, ("1:2", "b"): 0}}}
    merged = coverage.summarize(load(where / "functional.json"), code, {"mmu.c": {1: 1, 2: 1}})
    (where / "coverage.json").write_text(json.dumps(merged))
    return where / "coverage.json", len(merged["functional"]["groups"]) + 4


def changes_of(mmu86, baseline, result, where):
    """How many figures the comparison draws."""
    subprocess.run([mmu86, "diff", baseline, result, "--quiet", "--json", where / "diff.json"], check=False)
    return sum(1 for c in load(where / "diff.json")["changes"]
               if "percent" in c and c["group"] not in ("time", "context") and "origins/" not in c["metric"]
               and not c["metric"].startswith("cycle_histogram/"))


def full_page(mmu86, kernel, where):
    """A page with every picture. Returns it, what is expected of it, and its result."""
    result, baseline = make(mmu86, kernel, where)
    coverage, bars = coverage_of_everything(mmu86, where)
    page = where / "run.html"
    run(mmu86, "report", result, "--baseline", baseline, "--coverage", coverage)
    want = expected(load(result), bars, changes_of(mmu86, baseline, result, where))
    assert set(want) == set(CHARTS), want
    return page, want, load(result)


def case_full(browser, mmu86, kernel, where):
    """Each picture is there, with what the result says."""
    page, want, result = full_page(mmu86, kernel, where)
    text = check(browser, page, want)
    says(text, "pass", "the guest reports success", "workload=fork quick", f"{result['instructions']:,}",
         f"{result['transactions']:,}", f"{result['walks']:,}", "8 sets x 4 ways", f"{result['dut_cycles'] / result['transactions']:.4f}",
         f"{100 * result['tlb_hits'] / (result['tlb_hits'] + result['tlb_misses']):.4f} %", "DIFFERENT from")
    labels = {name: [t[0] for t in chart["texts"]] for name, chart in browser.script(LOOK)["charts"].items()}
    for name, o in result["origins"].items():
        if o["walks"] or o["faults"]:
            assert labels["chart-origins"].count(name) == 2, name
    walks = [int(t.split(" ")[0].replace(",", "")) for t in labels["chart-origins"] if t[0].isdigit()][::2]
    assert walks == sorted(walks, reverse=True) and sum(walks) == result["walks"], walks
    for unit in ("transactions", "valid TLB entries", "TLB misses per 1,000 lookups", "DUT clock cycles per transaction"):
        assert unit in labels["chart-timeline"], unit
    assert "CR3 " + result["page_tables"]["directory"] in labels["chart-mapping"]
    for r in result["page_tables"]["runs"][:5]:
        assert any(label.startswith(r["laddr"] + "-") for label in labels["chart-mapping"]), r
    browser.open(page, width=640)  # a narrow window scrolls the pictures, not the page
    assert not browser.script("return document.documentElement.scrollWidth > innerWidth"), "640 px"


def case_others(browser, mmu86, kernel, where):
    """What has no data says so in its place: requests without a guest, that overlap, without a device; an older result."""
    page = where / "run.html"
    for options, phrases in (((), ("did not tell for whom", "No baseline", "did not sample coverage")),
                             (("--overlap", "--mem-latency", "3"), ("overlapped", "caches as it likes")),
                             (("--dut", "none"), ("no device", "none: nothing was compared, there was no device", "mismatches\nnothing was compared")),
                             (("--coverage", where / "sampled"), ("From the run itself",)),
                             (("--mem-latency", "200", "--seed", "5"), ("logarithmic",))):
        run(mmu86, "fuzz", "--count", "4000", "--json", where / "run.json", "--quiet", *options)
        run(mmu86, "report", where / "run.json")
        result = load(where / "run.json")
        if len(result["page_tables"]["runs"]) > 100:
            result["page_tables"]["runs"] = []  # random tables are beyond this test's reckoning
            (where / "run.json").write_text(json.dumps(result))
            run(mmu86, "report", where / "run.json")
        says(check(browser, page, expected(result, len(result.get("coverage", {}).get("groups", [])), None)), *phrases)
    for key in ("timeline", "cycle_histogram", "page_tables", "tlb", "image", "coverage", "dut_cycles"):
        result.pop(key, None)
    (where / "run.json").write_text(json.dumps(result))
    run(mmu86, "report", where / "run.json")
    says(check(browser, page, expected(result, 0, None)), "has no time series", "does not say what was mapped")


def case_untold(browser, mmu86, kernel, where):
    """What the device does not tell is not drawn as nothing, and what was not compared is named."""
    result_at, page = where / "run.json", where / "run.html"
    run(mmu86, "run", kernel, "--append", "workload=boot quick", "--dut", PAGED, "--dut-args", "+silent", "--json", result_at, "--quiet")
    result = load(result_at)
    assert result["dut_translations"] > 0.9 * result["transactions"]
    result["dut_translations"] //= 2    # so that it shows by what is divided
    result["page_tables"]["runs"] = []  # full tables are beyond this test's reckoning
    result_at.write_text(json.dumps(result))
    run(mmu86, "report", result_at)
    gaps = [f"{gap['name']}: {gap['reason']}" for gap in result["skipped"]]
    assert "TLB events: the device caches in a way of its own" in gaps and result["tlb_hits"] is None and result["walks"] > 100
    phrases = [*gaps, "TLB hit rate\nnot told by the device", f"walks\n{result['walks']:,}", "its walks are known",
               f"cycles per translation\n{result['dut_cycles'] / result['dut_translations']:.4f}", "of the device's own kind"]
    want = expected(result, 0, None)
    text = check(browser, page, want)
    says(text, *phrases)
    labels = {name: [t[0] for t in chart["texts"]] for name, chart in browser.script(LOOK)["charts"].items()}
    assert "walks per 1,000 transactions" in labels["chart-timeline"] and "hit, or not translated" in labels["chart-cycles"]
    sound = page.read_text()
    faults = {"a hit rate of 0": ("<dd>not told by the device</dd>", "<dd>0.0000 %</dd>"),
              "misses that nobody told": ('id="line-walks"', 'id="line-misses"'),
              "a gap less": ("<dt></dt><dd>TLB events: [^<]*</dd>", ""),
              "another divisor": (r"(<dt>cycles per translation</dt><dd>)[0-9.]*", rf"\g<1>{result['dut_cycles'] / result['transactions']:.4f}")}
    for name, (pattern, replacement) in faults.items():
        page.write_text(re.sub(pattern, replacement, sound, count=1))
        assert page.read_text() != sound, name
        found = problems(browser, page, want, (False,))
        found += [phrase for phrase in phrases if phrase not in browser.script("return document.body.innerText")]
        if not found:
            sys.exit(f"FAILED: not found: {name}")
        print(f"{name}: {found[0][:110]}")
    # Nor its walks: a device that is no paging unit.
    result["walks"] = result["timeline"]["walks"] = None
    for share in result["origins"].values():
        share["walks"] = None
    result_at.write_text(json.dumps(result))
    run(mmu86, "report", result_at)
    says(check(browser, page, expected(result, 0, None)), "TLB hits, misses and walks are not told by the device",
         "walks\nnot told by the device", "Walks by origin are not told by the device")


HOSTILE = ["<script>document.title='x'</script>", "\"><img src=http://127.0.0.1:9/x.png onerror=alert(1)>", "</style></svg>&amp;'",
           "\u202Egnol\u202C \u200b \u0085", "x" * 3000, "\u6f22\u5b57" * 40, "a\nb\tc"]


def case_hostile(browser, mmu86, kernel, where):
    """Text and numbers of a stranger stay text and numbers, and in their places."""
    page, _, result = full_page(mmu86, kernel, where)
    other = where / "baseline.json"
    counts = {name: 1 << 62 for name in HOSTILE}
    result.update(command=" ".join(HOSTILE), verdict=HOSTILE[0], stop=HOSTILE[1], dut=HOSTILE[2], image=HOSTILE[3],
                  check=HOSTILE[4], differences=HOSTILE, trace=HOSTILE[5], failure_wave=HOSTILE[6], faults_by_vector=counts,
                  instructions=(1 << 63) - 1, tlb={"sets": (1 << 63) - 1, "ways": (1 << 63) - 1, "large": 1 << 62})
    result["skipped"] = [{"name": name, "reason": name} for name in HOSTILE] + [{"name": "lonely"}]
    result["mismatch"] = dict(zip(("report", "request", "model", "dut", "verdict"), HOSTILE))
    result["origins"] = {name: {"references": 1 << 62, "tlb_misses": 1, "walks": 1 << 62, "faults": 1 << 61} for name in HOSTILE}
    result["cycle_histogram"] = {name: {"transactions": 1 << 62, "cycles": 1 << 62, "counts": {"0": 1, "4294967290-4294967295": 5}}
                                 for name in HOSTILE}
    n = len(result["timeline"]["tlb_hits"])
    result["timeline"].update(tlb_misses=[1 << 62] * n, dut_cycles=[(1 << 63) - 1] * n, entries_4k=[1 << 40] * n)
    result["coverage"] = {"groups": [{"name": name, "bins": 4294967295, "hit": 4294967294, "unreachable_bins": 4294967295}
                                     for name in HOSTILE]}
    run_of = {"paddr": "fffff000", "pieces": 4294967295, "user": True, "writable": False, "global": True}
    result["page_tables"]["runs"] = [{"laddr": "00001000", "table": "ffffffff", "pages": 1, "page_size": "4K", **run_of},
                                     {"laddr": "00400000", "pages": 1023, "page_size": "4M", **run_of}]
    result.update({name: 7 for name in HOSTILE})
    before = load(other)
    before.update({name: i + 1 for i, name in enumerate(HOSTILE)})
    other.write_text(json.dumps(before))
    (where / "run.json").write_text(json.dumps(result))
    run(mmu86, "report", where / "run.json", "--baseline", other)
    changes = changes_of(mmu86, other, where / "run.json", where)
    text = check(browser, page, expected(result, len(HOSTILE), changes))
    says(text, HOSTILE[0], HOSTILE[1], HOSTILE[2])
    assert "\u202e" not in text and browser.script("return document.title").startswith("mmu86: <script>")


def case_large(browser, mmu86, kernel, where):
    """Page tables of a large machine: what is alike is one box, what is too much is cut, and all of it is in the table."""
    run(mmu86, "run", kernel, "--append", "workload=boot quick", "--json", where / "run.json", "--quiet")
    result = load(where / "run.json")
    rights = {"paddr": "00000000", "pieces": 1, "user": False, "global": False}

    def runs(first, n, pages, step, table, flip):
        return [{"laddr": f"{first + i * step:08x}", "pages": pages, "page_size": "4K", "writable": bool(flip and i & 1),
                 "table": f"{table + (first + i * step >> 22 << 12):08x}", **rights} for i in range(n)]
    full = runs(0xC0000000, 32, 1024, 1 << 22, 0x1000000, False)
    many = runs(0x08000000, 500, 1, 4096, 0x2000000, True)
    few = runs(0x10000000, 60, 1, 1 << 22, 0x3000000, False)
    result["page_tables"]["runs"] = many + few + full
    (where / "run.json").write_text(json.dumps(result))
    run(mmu86, "report", where / "run.json")
    want = expected({**result, "page_tables": {}}, 0, None)
    want["mapping"] = {"run": 7 + 39, "rows": 592}
    says(check(browser, where / "run.html", want), "493 more runs, 1972 KiB", "53 more runs: see the table")
    result["page_tables"]["runs"] = many[:3] + full
    (where / "run.json").write_text(json.dumps(result))
    run(mmu86, "report", where / "run.json")
    want["mapping"] = {"run": 4, "rows": 35}
    says(check(browser, where / "run.html", want), "32 tables, all alike", "32,768 x 4 KiB", "c0000000-c7ffffff")


def case_planted(browser, mmu86, kernel, where):
    """Each fault that is planted into a sound page is found."""
    page, want, _ = full_page(mmu86, kernel, where)
    sound = page.read_text()
    label = re.search(r'<text x="[0-9.]+" y="([0-9.]+)" class="label e">', sound)
    faults = {
        "a coordinate that is none": (r'<rect x="[0-9.]+"', '<rect x="nan"', "console: .*nan"),
        "one far away": (r'<text x="[0-9.]+"', '<text x="5000.0"', "not within the picture"),
        "a point less": (r'(id="line-misses"[^>]*?)H[0-9.]+', r"\1", "of line-misses, expected"),
        "a bar less": (r'<rect [^>]*bar-walks"><title>[^<]*</title></rect>', "", "of bar-walks, expected"),
        "a picture less": (r'(?s)<figure><svg id="chart-vectors.*?</figure>', "", "vectors: no picture"),
        "a row less": (r"<tr><td>(?:(?!</tr>).)*</tr>", "", "rows "),
        "a label on another": (re.escape(label[0]).replace(re.escape(label[1]), "[0-9.]+"), label[0], "is over", 2),
        "text that is not escaped": (r"<h2>", "<h2><script>1</script>", "there is a SCRIPT"),
        "markup that does not end": (r"</h2>", "", "not well-formed"),
        "an image from elsewhere": (r"<h2>", '<h2><img src="http://127.0.0.1:9/x.png"/>', "something from elsewhere"),
        "a style from elsewhere": (r"<style>", '<style>@import "http://127.0.0.1:9/x.css";', "something from elsewhere"),
        "pictures that are not painted": (r"<style>", "<style>svg{opacity:0}", "is blank"),
        "pale text": (r"--pale:#59616b", "--pale:#b0b0b0", "contrast"),
        "a pale line": (r"--b:#f0b050", "--b:#333333", "contrast"),
        "no dark form": (r"prefers-color-scheme:dark", "prefers-color-scheme:none", "the paper is"),
        "too wide": (r"<h1>", '<h1 style="width:3000px">', "wider than the window"),
        "silence": (r'<section id="compare">.*(?s:.)*?</section>', '<section id="compare"></section>', "compare: no picture"),
        "a section less": (r'(?s)<section id="cycles">.*?</section>', "", "sections: "),
    }
    if found := problems(browser, page, want):
        sys.exit(f"FAILED: the sound page: {found}")
    for name, (pattern, replacement, complaint, *count) in faults.items():
        page.write_text(re.sub(pattern, replacement, sound, count=count[0] if count else 1))
        assert page.read_text() != sound, name
        found = problems(browser, page, want, ("dark" in replacement or "--b" in replacement or "none" in replacement,))
        if not any(re.search(complaint, line) for line in found):
            sys.exit(f"FAILED: not found: {name}: {found[:5]}")
        print(f"{name}: {next(line for line in found if re.search(complaint, line))[:110]}")
    # What the text alone shows is also seen in the browser: a request.
    page.write_text(sound.replace("default-src 'none'; style-src", "style-src").replace("<h2>", '<h2><img src="x.png"/>', 1))
    browser.open(page)
    assert len(browser.events()[1]) == 2, "a request is not seen"


def main():
    global PAGED    # pylint: disable=global-statement
    name, mmu86, kernel, PAGED = sys.argv[1:]
    with tempfile.TemporaryDirectory() as where, Browser() as browser:
        globals()["case_" + name](browser, pathlib.Path(mmu86).resolve(), kernel, pathlib.Path(where))


if __name__ == "__main__":
    main()
