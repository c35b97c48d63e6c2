"use strict";
// The diary without a network: every entry is first kept on this phone, with a key of its own, and then sent. The server keeps
// each key once. Without this script the same forms are sent as they are.
(() => {
  if ("serviceWorker" in navigator) {
    const worker = document.getElementById("about") ? JSON.parse(document.getElementById("about").textContent) : null;
    if (worker) navigator.serviceWorker.register(worker.worker, { scope: worker.scope }).catch(() => {});
    document.addEventListener("submit", (event) => {
      if (event.target instanceof HTMLFormElement && event.target.closest(".me") && navigator.serviceWorker.controller) navigator.serviceWorker.controller.postMessage("forget");
    });
  }
  const data = document.getElementById("about");
  if (!data) return;
  const about = JSON.parse(data.textContent), words = about.words;
  const QUEUE = `ranvier.queue.${about.account}`, REFUSED = `ranvier.refused.${about.account}`;
  const line = document.getElementById("line"), refused = document.getElementById("refused"), list = document.getElementById("waiting-list");
  const load = (name) => { try { const found = JSON.parse(localStorage.getItem(name)); return Array.isArray(found) ? found : []; } catch { return []; } };
  const store = (name, entries) => localStorage.setItem(name, JSON.stringify(entries));
  const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (all, name) => (name in facts ? facts[name] : all));
  const uuid = () => crypto.randomUUID ? crypto.randomUUID() : "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (+c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (+c / 4)))).toString(16));
  function now() { // local time with its offset: a phone that travels says where it was
    const d = new Date(), two = (n) => String(n).padStart(2, "0"), off = -d.getTimezoneOffset(), a = Math.abs(off);
    return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}${off < 0 ? "-" : "+"}${two(Math.floor(a / 60))}:${two(a % 60)}`;
  }
  function say(text, waits, link) {
    line.hidden = !text && !link; line.className = waits ? "sending waits" : "sending"; line.textContent = text;
    if (link) { const a = document.createElement("a"); a.href = link; a.textContent = words.sign_in; line.textContent = ""; line.append(a); }
  }
  const count = (n) => (n === 1 ? words.waiting_one : fill(words.waiting, { n }));
  function show() {
    const queue = load(QUEUE);
    list.replaceChildren(...queue.map((entry) => {
      const li = document.createElement("li"), what = document.createElement("span"), sub = document.createElement("span"), undo = document.createElement("button");
      li.className = "waits"; what.className = "what"; what.textContent = entry.shown || entry.kind; sub.className = "sub"; sub.textContent = fill(words.saved_on, { when: entry.at ? entry.at.slice(0, 16).replace("T", " ") : "" });
      what.append(sub); li.append(what);
      if (entry.kind !== "undo") { undo.type = "button"; undo.className = "plain"; undo.textContent = words.undo; undo.addEventListener("click", () => takeBack(entry)); li.append(undo); }
      return li;
    }));
    const none = document.getElementById("none"); if (none) none.hidden = queue.length > 0;
    const bad = load(REFUSED); refused.hidden = bad.length === 0; refused.replaceChildren();
    if (bad.length) {
      const h = document.createElement("h2"); h.textContent = words.refused_title; refused.append(h);
      for (const entry of bad) {
        const p = document.createElement("p"), drop = document.createElement("button");
        p.textContent = `${entry.shown || ""} ${entry.why || ""}`; drop.type = "button"; drop.className = "plain"; drop.textContent = words.refused_drop;
        drop.addEventListener("click", () => { store(REFUSED, load(REFUSED).filter((e) => e.key !== entry.key)); show(); }); p.append(" ", drop); refused.append(p);
      }
    }
    return queue.length;
  }
  function add(entry) { store(QUEUE, [...load(QUEUE), entry]); show(); return sync(); }
  // An entry that was perhaps sent already cannot just be dropped: what takes it back follows it in the queue.
  function takeBack(entry) { if (!load(QUEUE).some((e) => e.of === entry.key)) add({ key: uuid(), kind: "undo", of: entry.key, at: now(), shown: `${words.undo}: ${entry.shown}` }); }

  let again = 0, sentSome = false;
  function sync() { return navigator.locks ? navigator.locks.request("ranvier-sync", send) : send(); }
  async function send() {
    clearTimeout(again);
    let queue = load(QUEUE);
    if (!queue.length) { if (!navigator.onLine) say(words.offline, true); return; }
    if (!navigator.onLine) { say(`${words.offline} ${count(queue.length)}`, true); return; }
    say(words.sending, false);
    while (queue.length) {
      let answer, told;
      try {
        const who = await fetch(about.state, { redirect: "manual", cache: "no-store" });
        if (who.type === "opaqueredirect" || who.status === 403) { say("", true, about.signIn); return; }
        if (!who.ok) throw new TypeError("state");
        const me = await who.json();
        if (me.account !== about.account) { say(words.other_person, true); return; }
        const part = queue.slice(0, about.most).map(({ shown, ...entry }) => entry);
        answer = await fetch(about.sync, { method: "POST", redirect: "manual", headers: { "Content-Type": "application/json", "X-CSRFToken": me.csrf }, body: JSON.stringify({ entries: part }) });
        if (answer.type === "opaqueredirect") { say("", true, about.signIn); return; }
        if (answer.status !== 200 && answer.status !== 422) throw new RangeError(String(answer.status));
        told = (await answer.json()).entries;
      } catch (error) {
        const waits = count(load(QUEUE).length);
        say(error instanceof TypeError ? `${words.offline} ${waits}` : `${words.trouble} ${waits}`, true);
        again = setTimeout(sync, 30000);
        return;
      }
      const became = new Map(told.map((one) => [one.key, one])), left = load(QUEUE), bad = load(REFUSED);
      for (const entry of left) { const one = became.get(entry.key); if (one && one.state === "refused") bad.push({ ...entry, why: one.why }); }
      store(REFUSED, bad);
      store(QUEUE, left.filter((entry) => !became.has(entry.key)));
      sentSome = true;
      const after = load(QUEUE);
      if (after.length >= queue.length && after.every((e, i) => e.key === queue[i].key)) { say(words.trouble, true); return; }
      queue = after;
    }
    show();
    say(words.all_sent, false);
    if (sentSome && !load(REFUSED).length) { sentSome = false; refresh(); }
  }
  // The page as the server has it now; what somebody is typing stays untouched.
  async function refresh() {
    try {
      const answer = await fetch(about.scope, { redirect: "manual", cache: "no-store" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const kept = document.querySelector("[aria-labelledby=kept-h]"), other = fresh.querySelector("[aria-labelledby=kept-h]");
      if (kept && other) { kept.replaceWith(other); const l = document.getElementById("waiting-list"); if (l && l !== list) l.replaceWith(list); }
      const hint = document.querySelector("#grip-h"), done = fresh.querySelector(".done"), old = document.querySelector(".done");
      if (old) old.remove();
      if (hint && done) hint.after(done);
    } catch { /* the next visit shows it */ }
  }

  const typed = (input) => input.value.trim().replace(",", ".");
  const grip = document.getElementById("grip"), how = document.getElementById("how"), ask = document.getElementById("ask");
  const sure = new Set();
  let pause = 0;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset.kind) return;
    event.preventDefault();
    if (Date.now() - pause < 700) return; // the second tap of a double tap
    if (form === grip) saveGrip(); else if (form === how) saveHow(); else undoKept(form);
  });
  function saveGrip() {
    const inputs = [...grip.querySelectorAll("[data-series]")], readings = {}, shown = [];
    for (const input of inputs) {
      input.removeAttribute("aria-invalid");
      const text = typed(input);
      if (!text) continue;
      if (!/^\d{1,4}(\.\d{1,2})?$/.test(text)) { wrong(input, fill(words.refused_number, { value: input.value })); return; }
      const last = Number(input.dataset.last), value = Number(text);
      if (last > 0 && Math.abs(value - last) > about.share * last && !sure.has(input.id + text)) { doubt(input, text, last); return; }
      readings[input.dataset.series] = text; shown.push(`${input.dataset.hand} ${text.replace(".", about.decimal)} ${input.dataset.unit}`);
    }
    if (!shown.length) { if (inputs[0]) wrong(inputs[0], words.refused_nothing); return; }
    pause = Date.now(); sure.clear(); ask.hidden = true;
    for (const input of inputs) { const text = typed(input); if (text) input.dataset.last = text; input.value = ""; }
    if (document.activeElement) document.activeElement.blur();
    say(words.saved, false);
    add({ key: uuid(), kind: "grip", at: now(), readings, shown: shown.join(", ") });
  }
  function wrong(input, text) { input.setAttribute("aria-invalid", "true"); say(text, true); input.focus(); }
  function doubt(input, text, last) {
    const comma = (t) => String(t).replace(".", about.decimal);
    ask.hidden = false; ask.querySelector("p").textContent = `${input.dataset.hand}: ${fill(words.ask_again, { value: comma(text), unit: input.dataset.unit, last: comma(last) })}`;
    ask.dataset.of = input.id; ask.dataset.text = text; ask.querySelector("[data-ask=no]").focus();
  }
  if (ask) ask.addEventListener("click", (event) => {
    const answer = event.target.dataset.ask, input = document.getElementById(ask.dataset.of);
    if (!answer) return;
    ask.hidden = true;
    if (answer === "yes") { sure.add(ask.dataset.of + ask.dataset.text); saveGrip(); } else { input.focus(); input.select(); }
  });
  function saveHow() {
    const form = new FormData(how), events = form.getAll("events"), none = form.get("none") === "on", readings = {};
    const entry = { key: uuid(), kind: "how", at: now(), wear_off: form.get("wear_off"), events, none, note: (form.get("note") || "").trim(), readings };
    for (const input of how.querySelectorAll("[data-series]")) if (typed(input)) readings[input.dataset.series] = typed(input);
    if (!entry.wear_off && !events.length && !none && !entry.note && !Object.keys(readings).length) { say(words.refused_nothing, true); return; }
    pause = Date.now(); how.reset();
    const open = how.querySelector("details"); if (open) open.open = false;
    say(words.saved, false);
    add({ ...entry, shown: words.how_title });
  }
  if (how) how.addEventListener("change", (event) => { // "none of these" and the others exclude each other
    if (event.target.name === "none" && event.target.checked) how.querySelectorAll("[name=events]").forEach((e) => { e.checked = false; });
    if (event.target.name === "events" && event.target.checked) how.querySelector("[name=none]").checked = false;
  });
  function undoKept(form) {
    const row = form.closest("li");
    pause = Date.now();
    row.classList.add("gone"); form.hidden = true;
    add({ key: uuid(), kind: "undo", fact: Number(form.elements.fact.value), at: now(), shown: form.querySelector("button").getAttribute("aria-label") });
  }
  window.addEventListener("online", sync);
  window.addEventListener("offline", () => say(words.offline, true));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) sync(); });
  show(); sync();
})();
