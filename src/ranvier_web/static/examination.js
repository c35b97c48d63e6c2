"use strict";
// The examination sheet: a grade goes on by itself, a click on the body chooses a muscle.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form.examine");
  const pad = document.getElementById("pad");
  const fields = () => [...form.querySelectorAll("input.grade")].filter((f) => f.offsetParent !== null);
  let chosen = null;
  const choose = (field) => {
    chosen = field;
    pad.hidden = false;
    document.getElementById("pad-for").textContent = field.getAttribute("aria-label");
    document.getElementById("pad-how").textContent = field.dataset.how;
  };
  const onward = (field) => { const all = fields(); const next = all[all.indexOf(field) + 1]; if (next) { next.focus(); next.select(); } };
  form.addEventListener("focusin", (e) => { if (e.target.matches("input.grade")) choose(e.target); });
  form.addEventListener("input", (e) => {
    if (e.target.matches("input.grade") && /^([0-35]|4[-+])$/.test(e.target.value)) onward(e.target); // a bare 4 may become 4+
  });
  form.addEventListener("keydown", (e) => {
    if (!e.target.matches("input.grade")) return;
    const all = fields(), here = all.indexOf(e.target);
    const to = { Enter: 1, ArrowDown: 2, ArrowUp: -2 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const next = all[here + to];
    if (next) { next.focus(); next.select(); }
  });
  document.addEventListener("click", (e) => {
    const muscle = e.target.closest && e.target.closest("[data-muscle]");
    if (muscle) {
      const field = document.getElementById(`g-${muscle.dataset.muscle}-${muscle.dataset.side}`);
      if (!field) return;
      const hidden = field.closest("details");
      if (hidden) hidden.open = true;
      choose(field);
      pad.scrollIntoView({ block: "nearest" });
      pad.querySelector("button").focus();
    }
    const grade = e.target.closest && e.target.closest("[data-grade]");
    if (grade && chosen) { chosen.value = grade.dataset.grade; form.dispatchEvent(new Event("graded")); }
    const go = e.target.closest && e.target.closest("[data-go]");
    if (go) {
      const field = document.getElementById(go.dataset.go);
      if (field) { e.preventDefault(); const hidden = field.closest("details"); if (hidden) hidden.open = true; field.focus(); }
    }
  });
});
