#!/usr/bin/env python3
"""Headless Chromium through ChromeDriver (Debian's chromium and chromium-driver), for pages of ours.

usage: browser.py PAGE PICTURE [WIDTH [HEIGHT]]     a picture of the page's first HEIGHT lines (default: all)
"""
import base64
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import urllib.request
import zlib


class Browser:
    """A session. Everything that a page asks for or complains of is in events()."""

    def __init__(self):
        for program in ("chromedriver", "chromium"):
            if not shutil.which(program):
                sys.exit(f"{program} is missing: make setup")
        # pylint: disable-next=consider-using-with
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True)
        port = None
        for line in self.driver.stdout:
            if port := re.search(r"started successfully on port (\d+)", line):
                break
        if not port:
            sys.exit("chromedriver does not start")
        arguments = ["--headless", "--hide-scrollbars", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # it refuses root with one
        options = {"goog:chromeOptions": {"args": arguments},
                   "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        self.base = f"http://127.0.0.1:{port[1]}"
        try:
            session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        except OSError as error:
            self.driver.terminate()
            sys.exit(f"no session with Chromium: {error}")
        self.base += "/session/" + session["sessionId"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
        with opener.open(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, path, width=1280, dark=False):
        """Opens a file's page. What happened before is forgotten."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events()
        self.ask("POST", "/url", {"url": pathlib.Path(path).resolve().as_uri()})

    def script(self, text):
        return self.ask("POST", "/execute/sync", {"script": text, "args": []})

    def events(self):
        """What the console says, and the addresses that were asked for, since the last call."""
        console = [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})]
        messages = [json.loads(entry["message"])["message"] for entry in self.ask("POST", "/se/log", {"type": "performance"})]
        return console, [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def picture(self, x, y, width, height, scale=1):
        """PNG of a part of the page."""
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": scale}
        return base64.b64decode(self.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"])

    def close(self):
        try:
            self.ask("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def pixels(png):
    """Colours of a PNG (8 bits, RGB or RGBA, not interlaced), with how often each is there."""
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IHDR":
            width, height, depth, colours, _, _, interlaced = struct.unpack_from(">IIBBBBB", png, at + 8)
        if kind == b"IDAT":
            data += png[at + 8:at + 8 + size]
        at += 12 + size
    assert depth == 8 and colours in (2, 6) and not interlaced
    step, counts, before = (3 if colours == 2 else 4), {}, None
    raw, row_bytes = zlib.decompress(data), width * (3 if colours == 2 else 4)
    before = bytearray(row_bytes)
    for y in range(height):
        start = y * (row_bytes + 1)
        kind, row = raw[start], bytearray(raw[start + 1:start + 1 + row_bytes])
        for i in range(row_bytes):
            left, up = row[i - step] if i >= step else 0, before[i]
            if kind == 1:
                row[i] = row[i] + left & 255
            elif kind == 2:
                row[i] = row[i] + up & 255
            elif kind == 3:
                row[i] = row[i] + (left + up) // 2 & 255
            elif kind == 4:
                corner = before[i - step] if i >= step else 0
                guess = left + up - corner
                near = sorted(((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner)))
                row[i] = row[i] + near[0][2] & 255
        for i in range(0, row_bytes, step):
            colour = bytes(row[i:i + 3])
            counts[colour] = counts.get(colour, 0) + 1
        before = row
    return counts


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    page, out, *size = sys.argv[1:]
    width = int(size[0]) if size else 1280
    with Browser() as browser:
        browser.open(page, width)
        height = int(size[1]) if len(size) > 1 else browser.script("return document.documentElement.scrollHeight")
        pathlib.Path(out).write_bytes(browser.picture(0, 0, width, height))


if __name__ == "__main__":
    main()
