"""Looks at the page of an exporter in Chromium, over a pipe in its DevTools protocol.

usage: browser.py CHROMIUM URL NAME...   NAME are the apps that must be there, as plain text
"""

import json
import os
import subprocess
import sys
import tempfile

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-component-update "
    "--disable-background-networking --disable-sync --remote-debugging-pipe"
).split()


class Browser:
    """One page in one browser."""

    def __init__(self, program, folder):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # Chromium reads commands from 3 and writes to 4; a shell puts them there.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(
            ["bash", "-c", shell, "-", program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.out, self.pipe = os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb")
        self.buffer, self.number, self.session = b"", 0, None
        self.requested, self.complaints = [], []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(domain + ".enable")

    def read(self):
        while b"\0" not in self.buffer:
            piece = self.pipe.read1(1 << 16)
            if not piece:
                sys.exit("the browser has ended")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append("the console was written to")
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append("a dialog opened")
        return message

    def ask(self, method, **params):
        self.number += 1
        command = {"id": self.number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        self.out.write(json.dumps(command).encode() + b"\0")
        while True:
            message = self.read()
            if message.get("id") == self.number:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']}")
                return message["result"]

    def run(self, script):
        """The value of an expression; a promise is waited for."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            sys.exit(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, url):
        self.ask("Page.navigate", url=url)
        while self.read().get("method") != "Page.loadEventFired":
            pass

    def key(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            pressed = {"type": kind, "key": key, "windowsVirtualKeyCode": code}
            if text and kind == "keyDown":
                pressed["text"] = text
            self.ask("Input.dispatchKeyEvent", **pressed)

    def size(self, width):
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=800, deviceScaleFactor=1, mobile=False,
        )

    def scheme(self, scheme):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[feature])


# Texts whose colour stands out too little from what lies behind them (WCAG 2, AA: 4.5 to 1).
CONTRAST = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (it) => {
    for (; it; it = it.parentElement) {
      const rgb = parse(getComputedStyle(it).backgroundColor);
      if (rgb.length < 4 || rgb[3] > 0) return rgb;
    }
    return [255, 255, 255];
  };
  const weak = [];
  let seen = 0;
  for (const it of document.body.querySelectorAll("*")) {
    const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || it.closest("script, svg, option, [hidden]")) continue;
    const [a, b] = [light(parse(getComputedStyle(it).color)), light(behind(it))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (ratio < 4.5) weak.push(it.textContent.slice(0, 40) + ": " + ratio.toFixed(2));
  }
  return seen > 20 ? weak : ["only " + seen + " texts seen"];
})()"""


def same(what, seen, expected):
    if seen != expected:
        sys.exit(f"{what}: {seen!r}, not {expected!r}")


def look(browser, url, names):
    browser.open(url)
    shown = "[...document.querySelectorAll('tbody:not([hidden]) th')].map((it) => it.firstChild.data)"
    same("apps", sorted(browser.run(shown)), sorted(names))
    same("elements out of names", browser.run("document.querySelectorAll('main img').length"), 0)
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        same(f"weak texts, {scheme}", browser.run(CONTRAST), [])
    backgrounds = []
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        backgrounds.append(browser.run("getComputedStyle(document.body).backgroundColor"))
    if backgrounds[0] == backgrounds[1]:
        sys.exit("there is no dark mode")
    for width in (360, 768, 1280):
        browser.size(width)
        hidden = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        same(f"hidden to the right at {width}", browser.run(hidden), 0)

    # By keyboard: the order of Tab, search and sort.
    order = []
    for _ in range(8):
        browser.key("Tab", 9)
        order.append(browser.run("(document.activeElement.id || document.activeElement.textContent)"))
    links = ["Metrics", "Status", "Config", "Health", "Readiness"]
    same("order of Tab", order, ["Skip to the apps", *links, "search", "sort"])
    browser.run("document.activeElement.blur()")
    browser.key("/", 191, "/")
    same("focus after /", browser.run("document.activeElement.id"), "search")
    browser.ask("Input.insertText", text=names[0])
    same("found", browser.run(shown), [names[0]])
    browser.key("Escape", 27)
    same("after Escape", len(browser.run(shown)), len(names))
    browser.run("sort.value = 'name'; sort.dispatchEvent(new Event('change'))")
    by_name = browser.run(shown + ".every((it, at, all) => !at || all[at - 1].localeCompare(it) <= 0)")
    same("sorted by name", by_name, True)

    # Newer figures come without a reload, and leave search and sort as they are.
    browser.run("window.same = true; search.value = ''; arrange()")
    renewed = """new Promise((done) => new MutationObserver((_, it) => { it.disconnect(); done(window.same); })
        .observe(document.getElementById('summary'), { childList: true }))"""
    same("renewed without a reload", browser.run(renewed), True)
    same("sort after it", browser.run("sort.value"), "name")
    same("apps after it", sorted(browser.run(shown)), sorted(names))

    # What is said without a script.
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url)
    text = browser.run("document.body.innerText")
    for name in names:
        if name not in text:
            sys.exit(f"{name} is not shown without a script")
    same("tools without a script", browser.run("document.getElementById('tools').hidden"), True)
    same("complaints", browser.complaints, [])
    elsewhere = [it for it in browser.requested if not it.startswith((url, "data:,", "about:"))]
    same("requests to elsewhere", elsewhere, [])


def main():
    program, url, *names = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            look(browser, url, names)
        finally:
            browser.process.kill()
            browser.process.wait()


main()
