
"use strict";
// Search and sort, and newer figures every few seconds. Without this the page says the same.
const find = (id) => document.getElementById(id);
const table = find("apps"), search = find("search"), sort = find("sort"), fresh = find("fresh");
const number = (app, key) => Number(app.dataset[key]);
const byName = (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true });
function arrange() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean), key = sort.value;
  const apps = [...table.tBodies];
  const order = key === "name" ? byName
    : key === "problems" ? (a, b) => number(a, "rank") - number(b, "rank")
    : (a, b) => number(b, key) - number(a, key) || byName(a, b);
  let shown = 0;
  for (const app of apps.sort(order)) {
    const text = (app.dataset.name + " " + app.dataset.id + " " + app.textContent).toLowerCase();
    app.hidden = !words.every((word) => text.includes(word));
    shown += !app.hidden;
    table.append(app);
  }
  find("found").textContent = shown === apps.length ? "" : shown + " of " + apps.length + " apps";
}
const period = table.tBodies.length > 50 ? 15000 : 5000;
async function renew() {
  let next = period;
  try {
    if (document.hidden) return;
    const stop = AbortSignal.timeout(10000);
    const answer = await fetch(location.pathname, { cache: "no-store", signal: stop });
    if (!answer.ok) throw new Error("HTTP " + answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["summary", "facts"]) find(id).replaceChildren(...page.getElementById(id).childNodes);
    for (const app of [...table.tBodies]) app.remove();
    table.append(...page.getElementById("apps").tBodies);
    document.title = page.title;
    arrange();
    fresh.className = "";
    fresh.textContent = page.getElementById("fresh").textContent.replace(/ Reload.*/, " Updates by itself.");
  } catch (error) {
    if (!fresh.className) fresh.textContent = "No answer from the exporter since " + new Date().toISOString().slice(11, 19) + " UTC; the figures are old. Trying again.";
    fresh.className = "bad";
    next = 10000;
  } finally {
    setTimeout(renew, next);
  }
}
find("tools").hidden = false;
find("tools").addEventListener("submit", (event) => event.preventDefault());
search.addEventListener("input", arrange);
sort.addEventListener("change", arrange);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|SELECT)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && document.activeElement === search) {
    search.value = "";
    arrange();
  }
});
arrange();
fresh.textContent = fresh.textContent.replace(/ Reload.*/, " Updates by itself.");
setTimeout(renew, period);
