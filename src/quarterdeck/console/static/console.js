// Quarterdeck console: progressive enhancement only. Every page reads and every form posts without this file.
const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
const on = (type, sel, fn) => document.addEventListener(type, e => { const t = e.target.closest?.(sel); if (t) fn(e, t); });
const root = document.documentElement;
root.classList.add("js");

// Toasts: one polite live region, present from the first paint.
const fade = el => setTimeout(() => el.matches(":hover, :focus-within") ? fade(el) : el.remove(), 5000);
function toast(text, tone = "good") {
  const box = $(".toasts"), el = document.createElement("div");
  el.className = `toast t-${tone}`;
  el.innerHTML = `<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><use href="#s-${tone}"/></svg><span></span>`;
  el.lastChild.textContent = text;
  box.append(el);
  fade(el);
}
$$(".toasts .toast").forEach(fade);

// The tab of this page is in sight where its row is wider than the screen.
$$(".tabs [aria-current]").forEach(tab => {
  const row = tab.parentElement, at = tab.getBoundingClientRect(), of = row.getBoundingClientRect();
  row.scrollLeft += at.left - of.left - (of.width - at.width) / 2;
});

// The token of a mail's link stands behind its #, which is sent nowhere: it goes into the form, and out of the address.
const byLink = $("[data-from-link]"), taken = () => {
  if (!byLink || location.hash.length < 2) return;
  byLink.value = location.hash.slice(1);
  byLink.closest(".field").hidden = true;
  history.replaceState(null, "", location.pathname);
  if ("atOnce" in byLink.dataset) byLink.form.requestSubmit();
};
taken();
addEventListener("hashchange", taken);

// Theme: light, dark, or the system's. The server reads the cookie, so the first paint is right.
on("click", "[data-theme-next]", e => {
  e.preventDefault();
  const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  document.cookie = `qd_theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
});

// A pressed button says so at once and cannot be pressed twice; the page changes when the server has said so.
// A session that has ended keeps the form: signing in again happens in a dialog, then the same post goes on.
let alive = null, waiting = null;
const calm = () => $$("[aria-busy]").forEach(b => b.removeAttribute("aria-busy"));
const doorway = { "HX-Request": "true", "X-Console-Ask": "1" };
const again = html => {
  let box = $("#door");
  if (!box) {
    // A dialog of its own: the form that waits may stand in another one.
    box = document.createElement("dialog");
    box.id = "door";
    box.setAttribute("aria-labelledby", "door-h");
    document.body.append(box);
  }
  box.innerHTML = `<div class="dlg-body door">${html}</div>`;
  if (!box.open) box.showModal();
  $("[autofocus]", box)?.focus();
};
document.addEventListener("submit", async e => {
  const form = e.target, b = e.submitter;
  if (form.method !== "post" || !b) return;
  if (form.closest("#door")) {
    e.preventDefault();
    b.setAttribute("aria-busy", "true");
    const answer = await fetch(form.action, { method: "POST", headers: doorway, body: new URLSearchParams(new FormData(form)), redirect: "manual" });
    if (answer.type !== "opaqueredirect") return again(await answer.text());
    $("#door").close();
    const [held, pressed] = waiting;
    waiting = null;
    return held.requestSubmit(pressed);
  }
  if (alive === form) { alive = null; return; }
  if (b.getAttribute("aria-busy") === "true") return e.preventDefault();
  b.setAttribute("aria-busy", "true");
  if (!$(".shell")) return;
  e.preventDefault();
  let status = 0;
  try { status = (await fetch("/console/alive", { headers: { "HX-Request": "true" } })).status; } catch { /* the post itself will tell */ }
  if (status !== 401) { alive = form; return form.requestSubmit(b); }
  calm();
  waiting = [form, b];
  again(await (await fetch("/console/sign-in", { headers: doorway })).text());
});
addEventListener("pageshow", calm);
// A part of a form that was opened says so to the server, which draws the form anew.
document.addEventListener("toggle", e => {
  const said = $(":scope > input[name^='open.']", e.target);
  if (said) said.value = e.target.open ? "yes" : "";
}, true);
on("click", "[aria-disabled=true]", e => e.preventDefault());

// Questions: the same form that stands at the link's address, in a dialog.
on("click", "[data-ask]", async (e, t) => {
  if (e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
  e.preventDefault();
  const box = $("#ask");
  try {
    const answer = await fetch(t.href, { headers: { "HX-Request": "true", "X-Console-Ask": "1" } });
    if (!answer.ok) throw 0;
    box.innerHTML = await answer.text();
    arm(box);
    box.showModal();
    $("[data-must-equal]", box)?.focus();
  } catch { location.href = t.href; }
});
on("click", "[data-close]", (e, t) => { const d = t.closest("dialog"); if (d) { e.preventDefault(); d.close(); } });
on("click", "dialog", (e, t) => { if (e.target === t) t.close(); });
on("click", "[data-copy]", async (e, t) => {
  try { await navigator.clipboard.writeText(t.dataset.copy); toast("Copied"); } catch { toast("Copying is blocked here. Select the text and copy it.", "warn"); }
});

// Confirm by typing: the button wakes only for the exact name. Without scripts the server compares.
const arm = box => $$("[data-must-equal]", box).forEach(i => { $("[data-confirm]", i.form).disabled = i.value !== i.dataset.mustEqual; });
on("input", "[data-must-equal]", (e, t) => { $("[data-confirm]", t.form).disabled = t.value !== t.dataset.mustEqual; });
arm(document);
$("[aria-invalid=true]")?.focus();

// Command palette: a combobox over GET /console/palette?q=
const pal = $("#palette");
if (pal) {
  const input = $("input", pal), list = $("ul", pal);
  let at = 0, asked = 0;
  const options = () => $$("[role=option]", list);
  const mark = i => {
    const all = options();
    at = (i + all.length) % (all.length || 1);
    all.forEach((o, n) => o.setAttribute("aria-selected", String(n === at)));
    if (!all[at]) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", all[at].id);
    all[at].scrollIntoView({ block: "nearest" });
  };
  // What this page itself can do comes first: its buttons and its tabs, pressed as they stand.
  let own = [];
  const offer = () => {
    const words = input.value.toLowerCase().split(/\s+/), label = b => b.textContent.trim().replace(/\s+/g, " ");
    own = $$("#main .head .acts .btn:not([aria-disabled=true]), #main .tabs a:not([aria-current])").filter(b => words.every(w => label(b).toLowerCase().includes(w)));
    if (!own.length) return;
    const group = document.createElement("li");
    group.setAttribute("role", "presentation");
    group.textContent = "This page";
    list.prepend(group, ...own.map((b, n) => {
      const o = document.createElement("li"), icon = $("svg", b)?.cloneNode(true), text = document.createElement("span");
      o.id = `own-${n}`;
      o.dataset.own = n;
      o.setAttribute("role", "option");
      text.className = "cut";
      text.textContent = label(b);
      o.append(...(icon ? [icon] : []), text);
      return o;
    }));
  };
  const fill = async () => {
    const mine = ++asked, answer = await fetch(`/console/palette?q=${encodeURIComponent(input.value)}`, { headers: { "HX-Request": "true" } });
    if (mine !== asked || !answer.ok) return;
    list.innerHTML = await answer.text();
    offer();
    $("[role=status]", pal).textContent = `${options().length} results`;
    mark(0);
  };
  const open = () => { if (pal.open) return pal.close(); input.value = ""; pal.showModal(); fill(); };
  const go = o => { pal.close(); if (o.dataset.own) own[o.dataset.own].click(); else location.href = o.dataset.href; };
  input.addEventListener("input", fill);
  input.addEventListener("keydown", e => {
    if (e.key === "ArrowDown") { e.preventDefault(); mark(at + 1); }
    if (e.key === "ArrowUp") { e.preventDefault(); mark(at - 1); }
    if (e.key === "Enter" && options()[at]) { e.preventDefault(); go(options()[at]); }
  });
  on("click", "#palette [role=option]", (e, t) => go(t));
  on("click", "[data-palette]", e => { if (e.metaKey || e.ctrlKey || e.shiftKey) return; e.preventDefault(); open(); });
  document.addEventListener("keydown", e => { if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === "k") { e.preventDefault(); open(); } });
}

// Single keys move, they never change anything. Off where people type, and off altogether by the profile's setting.
let lead = "";
document.addEventListener("keydown", e => {
  if (root.dataset.keys === "off" || e.metaKey || e.ctrlKey || e.altKey || e.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  if (lead === "g") {
    lead = "";
    const room = $(`[data-go="${CSS.escape(e.key)}"]`);
    if (room) { location.href = room.href; return; }
  }
  lead = e.key === "g" ? "g" : "";
  if (e.key === "/") { const f = $("[data-filter]"); if (f) { e.preventDefault(); f.focus(); } }
  if (e.key === "?") $("#keys")?.showModal();
  if (e.key === ".") $(".head .btn.main")?.focus();
  if (e.key === "j" || e.key === "k") {
    const items = $$("[data-row]").map(r => $("a, button, summary", r)).filter(x => x?.offsetParent);
    if (!items.length) return;
    const i = items.indexOf(document.activeElement);
    items[Math.max(0, Math.min(items.length - 1, i + (e.key === "j" ? 1 : -1)))].focus();
  }
});

// Log viewer: follow until the reader scrolls up, filter, wrap. Lines are appended, so a selection is never replaced.
const KEEP = 5000;
$$("[data-log]").forEach(box => {
  const card = box.closest(".card"), list = $("ol", box), follow = $("[data-follow]", card), wrap = $("[data-wrap]", card), filter = $("input[data-filter]", card), news = $("[data-new-lines]", card);
  const following = () => follow?.getAttribute("aria-pressed") === "true";
  const stick = () => { if (following()) box.scrollTop = box.scrollHeight; };
  const matches = l => !filter?.value || l.textContent.toLowerCase().includes(filter.value.toLowerCase());
  let held = 0, queue = [], frame = 0;
  const tell = n => { held = n; if (news) news.textContent = n ? `${n} new ${n === 1 ? "line" : "lines"}` : ""; };
  box.addEventListener("scroll", () => {
    const end = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    follow?.setAttribute("aria-pressed", String(end));
    if (end) tell(0);
  }, { passive: true });
  follow?.addEventListener("click", () => { follow.setAttribute("aria-pressed", "true"); tell(0); stick(); });
  wrap?.addEventListener("click", () => wrap.setAttribute("aria-pressed", String(box.classList.toggle("wrapped"))));
  filter?.addEventListener("input", () => $$("li", list).forEach(l => { l.hidden = !matches(l); }));
  const flush = () => {
    frame = 0;
    const before = following(), fresh = queue;
    queue = [];
    let last = +(list.lastElementChild?.id.slice(1) ?? 0), added = 0;
    for (const text of fresh) {
      const made = document.createElement("template");
      made.innerHTML = text;
      for (const l of [...made.content.children]) {
        if (l.id && +l.id.slice(1) <= last) continue;
        if (l.id) last = +l.id.slice(1);
        l.hidden = !matches(l);
        list.append(l);
        added++;
      }
    }
    for (let over = list.childElementCount - KEEP; over > 0; over--) list.firstElementChild.remove();
    $("[data-empty]", box)?.remove();
    if (before) { follow?.setAttribute("aria-pressed", "true"); stick(); } else tell(held + added);
  };
  const add = text => { queue.push(text); frame ||= requestAnimationFrame(flush); };
  document.addEventListener("qd-log", e => add(e.detail.data));
  document.addEventListener("qd-gap", e => { const l = document.createElement("li"); l.className = "gap"; l.textContent = e.detail.data; add(l.outerHTML); });
  const wanted = location.hash && $(location.hash, box);
  if (wanted) { follow?.setAttribute("aria-pressed", "false"); wanted.scrollIntoView({ block: "center" }); } else if (box.hasAttribute("data-at-end")) box.scrollTop = box.scrollHeight; else stick();
});

// Elapsed times tick from the server's own clock, so that nothing polls.
const skew = Date.parse(document.body.dataset.now) - Date.now();
const span = s => s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} m ${String(s % 60).padStart(2, "0")} s` : `${Math.floor(s / 3600)} h ${String(Math.floor(s / 60) % 60).padStart(2, "0")} m`;
setInterval(() => $$("[data-since]").forEach(el => { el.textContent = span(Math.max(0, Math.floor((Date.now() + skew - Date.parse(el.dataset.since)) / 1000))); }), 1000);

// Live: the dot says so. What a box says changes the tab's title, and a new phase is told once, politely.
const live = $("[data-live]"), stream = $("#stream");
let lost = 0, poll = 0, said = $(".part[data-say]")?.dataset.say ?? "";
const word = (state, text) => { if (live) { live.dataset.state = state; live.firstElementChild.textContent = text; } };
if (stream && window.htmx) {
  const catchUp = () => { if (lost && Date.now() - lost > 60000) htmx.ajax("GET", location.href, { target: "#main", swap: "innerMorph" }); };
  document.addEventListener("htmx:sse:after:connection", () => { lost = 0; word("live", "Live"); });
  const cut = () => { lost ||= Date.now(); word("retry", `Reconnecting, as of ${new Date(lost).toLocaleTimeString()}`); poll ||= setInterval(catchUp, 10000); };
  document.addEventListener("htmx:sse:before:connection", e => { if (e.detail.connection.attempt) cut(); });
  document.addEventListener("htmx:sse:error", cut);
  document.addEventListener("htmx:sse:close", cut);
  document.addEventListener("htmx:sse:after:message", () => {
    const title = $("[data-title]")?.dataset.title;
    if (title && document.title !== title) document.title = title;
    if ($("#task-head[data-terminal-now]") && $("#task-gate") && !$("[data-terminal]")) return location.reload();  // the first tab has one now
    const now = $(".part[data-say]")?.dataset.say ?? "";
    if (now !== said) { said = now; $("p[data-say]").textContent = now; }
  });
  // Connected from here, when the extension and the listeners above are sure to be there.
  stream.setAttribute("hx-sse:connect", stream.dataset.connect);
  htmx.process(stream);
}
