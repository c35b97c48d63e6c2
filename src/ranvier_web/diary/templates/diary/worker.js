"use strict";
// Keeps the diary's pages and files on this phone. Pages come from the network while there is one; without it, as they were last.
const CACHE = "ranvier-diary-{{ version }}", HOME = "{{ home }}", FILES = {{ files|safe }};
self.addEventListener("install", (event) => event.waitUntil(caches.open(CACHE).then((c) => c.addAll(FILES)).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("ranvier-diary-") && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
})()));
self.addEventListener("message", (event) => {
  if (event.data === "forget") event.waitUntil(forget());
});
async function forget() {
  const cache = await caches.open(CACHE);
  for (const kept of await cache.keys()) if (!FILES.includes(new URL(kept.url).pathname)) await cache.delete(kept);
}
self.addEventListener("fetch", (event) => {
  const request = event.request, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname.startsWith(HOME)) { event.respondWith(page(request, url)); return; }
  if (FILES.includes(url.pathname)) event.respondWith(caches.match(url.pathname).then((kept) => kept || fetch(request)));
});
async function page(request, url) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected && (answer.headers.get("content-type") || "").startsWith("text/html")) await cache.put(url.pathname, answer.clone());
    return answer;
  } catch (error) {
    return (await cache.match(url.pathname)) || (await cache.match(HOME + "offline/")) || Response.error();
  }
}
