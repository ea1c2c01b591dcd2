// Gatehold console: live updates, countdowns, sound, keyboard. Pages work without it.
const body = document.body;
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

// ---- live: one connection for all tabs of this browser; the tab that holds the lock shares what it hears
const title = document.title;
let waiting = 0;
let known = null;
let last = "";
let live = false;
let missed = false;

function entitle() { document.title = waiting ? `(${waiting}) ${title}` : title; }

function hear(told) {
  waiting = told.mine;
  entitle();
  all("[data-pending]").forEach((each) => { each.textContent = waiting || ""; });
  all("[data-live]").forEach((each) => { each.dataset.live = "on"; });
  const fresh = known ? told.ids.filter((id) => !known.has(id)) : [];
  known = new Set(told.ids);
  const text = JSON.stringify(told);
  // The first message as well: something may have changed since the page was made.
  if (last !== text) body.dispatchEvent(new CustomEvent("pulse", { detail: { fresh } }));
  if (fresh.length) { beep(); fresh.forEach(mark); }
  last = text;
  if (!live) { live = true; recorded(); }
}

// What was recorded is asked for where somebody looks: a page in the background asks once it comes to the front.
function recorded() {
  missed = document.hidden;
  if (!missed) body.dispatchEvent(new CustomEvent("recorded"));
}
document.addEventListener("visibilitychange", () => { if (missed) recorded(); });

function mark(id) {
  setTimeout(() => document.getElementById(`row-${id}`)?.classList.add("fresh"), 400);
}

function lost() { live = false; all("[data-live]").forEach((each) => { each.dataset.live = "off"; }); }

function listen(share) {
  const events = new EventSource("/live");
  events.addEventListener("pulse", (event) => { share(JSON.parse(event.data)); });
  events.addEventListener("recorded", () => { share({ recorded: true }); });
  events.addEventListener("over", () => { events.close(); location.reload(); });
  events.addEventListener("error", () => { share(null); });
}

if (one("[data-live]")) {
  const tell = (told) => (told?.recorded ? recorded() : told ? hear(told) : lost());
  if (navigator.locks && window.BroadcastChannel) {
    const channel = new BroadcastChannel("gatehold-live");
    let newest = null;
    channel.onmessage = ({ data }) => {
      if (data !== "?") tell(data.told);
      else if (newest) channel.postMessage(newest);
    };
    channel.postMessage("?");
    navigator.locks.request("gatehold-live", () => new Promise(() => {
      listen((told) => {
        if (!told?.recorded) newest = { told };
        channel.postMessage({ told });
        tell(told);
      });
    }));
  } else {
    listen(tell);
  }
}

// ---- times: what is left, what has passed, and the reader's own clock
const units = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
function words(seconds) {
  let left = Math.max(0, Math.floor(seconds));
  const parts = [];
  for (const [size, unit] of units) {
    const number = Math.floor(left / size);
    left -= number * size;
    if (number || parts.length) parts.push(`${number}${unit}`);
  }
  return parts.slice(0, 2).filter((part) => !part.startsWith("0")).join(" ") || "0s";
}
function tick() {
  const now = Date.now() / 1000;
  all("[data-until]").forEach((each) => { each.textContent = words(each.dataset.until - now); });
  all("[data-since]").forEach((each) => { each.textContent = words(now - each.dataset.since); });
  all("[data-until-meter]").forEach((each) => { each.value = Math.max(0, each.dataset.untilMeter - now); });
}
function localise(root = document) {
  all("time[data-local]", root).forEach((each) => {
    const at = new Date(each.dateTime);
    const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    const today = at.toDateString() === new Date().toDateString();
    each.textContent = each.dataset.local === "day" && !today ? `${at.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}` : time;
    each.title = at.toLocaleString();
  });
}
localise();
setInterval(tick, 1000);
one(".places [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

// ---- sound: off until somebody asks for it
let audio = null;
const sound = one("[data-sound]");
function show(on) {
  if (!sound) return;
  sound.setAttribute("aria-pressed", String(on));
  sound.textContent = on ? "Sound on" : "Sound off";
}
function beep() {
  if (!audio || sound?.getAttribute("aria-pressed") !== "true") return;
  [660, 880].forEach((pitch, index) => {
    const start = audio.currentTime + index * 0.12;
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.08, start + 0.02);
    gain.gain.linearRampToValueAtTime(0, start + 0.16);
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.18);
  });
}
function wake() { audio ??= new AudioContext(); return audio.resume(); }
sound?.addEventListener("click", async () => {
  const on = sound.getAttribute("aria-pressed") !== "true";
  localStorage.setItem("gatehold-sound", on ? "on" : "off");
  show(on);
  if (on) { await wake(); beep(); }
});
if (sound && localStorage.getItem("gatehold-sound") === "on") {
  show(true);
  // Browsers make no sound before somebody has touched the page.
  addEventListener("pointerdown", wake, { once: true });
  addEventListener("keydown", wake, { once: true });
}

// ---- keyboard
let going = false;
const rows = () => all("[data-walk] > li");
function select(index) {
  const list = rows();
  if (!list.length) return;
  const at = Math.min(Math.max(index, 0), list.length - 1);
  list.forEach((each) => each.removeAttribute("data-selected"));
  list[at].setAttribute("data-selected", "");
  list[at].scrollIntoView({ block: "nearest" });
}
const selected = () => rows().findIndex((each) => each.hasAttribute("data-selected"));
function open(anchor = "") {
  const link = one("a[href]", rows()[selected()] ?? document.createElement("li"));
  if (link) location.href = link.getAttribute("href") + anchor;
}
function go(key) {
  const place = all("[data-key]").find((each) => each.dataset.key === key);
  if (place) location.href = place.getAttribute("href");
}
function toApprove() { one("[data-approve]")?.focus(); }
function toDeny() { one("[data-reason]")?.focus(); }
const keys = {
  j: () => select(selected() + 1),
  k: () => select(selected() - 1),
  Enter: () => open(),
  o: () => open(),
  a: () => (one("[data-answer]") ? toApprove() : open("#approve")),
  d: () => (one("[data-answer]") ? toDeny() : open("#deny")),
  u: () => { const back = one("[data-back]"); if (back) location.href = back.getAttribute("href"); },
  g: () => { going = true; setTimeout(() => { going = false; }, 1200); },
  "?": () => one("[data-keys]").showModal(),
  "/": () => one("[data-search]")?.focus(),
};
addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("input, textarea, select, dialog")) {
    if (key === "Escape") target.blur();
    return;
  }
  if (key === "Enter" && target.closest("a, button, summary")) return;
  if (going && key !== "g") { going = false; event.preventDefault(); go(key); return; }
  if (going && key === "g") { going = false; event.preventDefault(); go("g"); return; }
  if (key in keys) { event.preventDefault(); keys[key](); }
});
one("[data-help]")?.addEventListener("click", () => one("[data-keys]").showModal());
if (location.hash === "#approve") toApprove();
if (location.hash === "#deny") toDeny();

// ---- a denial asks for its reason here, where it can be typed, rather than on the next page
one("[data-answer]")?.addEventListener("submit", (event) => {
  const reason = one("[data-reason]", event.target);
  if (event.submitter?.value === "deny" && !reason.value.trim()) {
    event.preventDefault();
    reason.setCustomValidity("A denial needs a reason: the agent and its owner will read it.");
    reason.reportValidity();
    reason.addEventListener("input", () => reason.setCustomValidity(""), { once: true });
  }
});

// ---- commands for a shell
addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling);
  }
});

// ---- parts that were replaced keep the selection, the focus and their times
let chosen = "";
let focused = "";
body.addEventListener("htmx:before:swap", () => {
  chosen = rows()[selected()]?.id ?? "";
  focused = document.activeElement?.closest("[data-walk] > li")?.id ?? "";
});
body.addEventListener("htmx:after:swap", () => {
  localise();
  entitle();
  if (chosen) document.getElementById(chosen)?.setAttribute("data-selected", "");
  if (focused) one("a[href]", document.getElementById(focused) ?? document.createElement("li"))?.focus();
});
