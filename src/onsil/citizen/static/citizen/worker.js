// Keeps the frame (styles, icons, scripts) and one page that says there is no connection. Pages with
// anybody's points or money are never kept: what is shown is what the server says now, or nothing.
const CACHE = "onsil-shell-1";
const OFFLINE = "__OFFLINE__";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    const page = await fetch(OFFLINE, { credentials: "same-origin", cache: "reload" });
    const text = await page.clone().text();
    await cache.put(OFFLINE, page);
    const parts = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+\.(?:css|js|svg|png))"/g)];
    await Promise.allSettled(parts.map(([, address]) => cache.add(address)));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (address.pathname.startsWith("/static/")) event.respondWith(fresh(request));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(noConnection));
});

// Static parts: the network's when it answers (a new release is seen at once), else what is kept.
async function fresh(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}

async function noConnection() {
  const kept = await caches.match(OFFLINE);
  return kept ?? new Response("", { status: 503 });
}
