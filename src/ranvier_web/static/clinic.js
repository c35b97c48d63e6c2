"use strict";
// Small help for forms; every page works without it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !("once" in form.dataset)) return;
  if (form.dataset.sent) { event.preventDefault(); return; } // a double click sends once; the server would keep one anyway
  form.dataset.sent = "1";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent));
document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target && target.closest("[data-print]")) window.print();
  document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(target)) menu.open = false; });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
});
document.addEventListener("DOMContentLoaded", () => {
  const problems = document.getElementById("problems");
  if (problems) problems.focus();
  document.querySelectorAll(".tabs, .top nav").forEach((bar) => { // a bar that scrolls on a phone shows the page that is open
    const open = bar.querySelector("[aria-current]");
    if (open) bar.scrollLeft = open.offsetLeft - bar.offsetLeft - (bar.clientWidth - open.offsetWidth) / 2;
  });
});
// The value of a slider beside it, while it moves; arrows go one step, page keys further (the browser's own).
document.addEventListener("input", (event) => {
  const slider = event.target;
  if (!(slider instanceof HTMLInputElement) || slider.type !== "range") return;
  const value = document.querySelector(`output[for="${slider.id}"]`);
  if (!value) return;
  const said = `${Number(slider.value).toLocaleString(document.documentElement.lang)}\u00a0${value.dataset.unit}`;
  value.textContent = said;
  slider.setAttribute("aria-valuetext", said);
});
