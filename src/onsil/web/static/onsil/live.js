// Live islands: <div data-live="SSE address"> hears events while it is on the page.
// Inside it, [data-live-text="topic.field"] shows a value, [data-live-reload="topic"] with
// data-url is fetched anew, and [data-live-state] says whether the line is up. When the line
// cannot be opened, [data-live-reload] parts are fetched every 15 seconds instead.
const english = document.documentElement.lang.startsWith("en");
const words = english
  ? { live: "live", polling: "refreshed every 15 s", off: "offline" }
  : { live: "실시간", polling: "15초마다 새로고침", off: "연결 끊김" };
const heard = new WeakSet();
const fetched = new WeakMap();

function say(root, state) {
  for (const node of root.querySelectorAll("[data-live-state]")) {
    node.textContent = words[state];
    node.dataset.state = state;
  }
}

// At most one fetch each data-every seconds (5 unless told); the last event is never lost.
async function reload(node) {
  const wait = Number(node.dataset.every ?? 5) * 1000 - (Date.now() - (fetched.get(node) ?? 0));
  if (wait > 0) {
    if (!node.dataset.due) {
      node.dataset.due = "1";
      setTimeout(() => { delete node.dataset.due; reload(node); }, wait);
    }
    return;
  }
  if (node.dataset.busy || !node.isConnected) return;
  fetched.set(node, Date.now());
  node.dataset.busy = "1";
  try {
    const answer = await fetch(node.dataset.url, { headers: { "HX-Request": "true" } });
    if (answer.ok && !answer.redirected) {
      node.innerHTML = await answer.text();
      const { islands } = await import("./onsil.js");
      islands(node);
    }
  } finally {
    delete node.dataset.busy;
  }
}

function apply(root, topic, data) {
  for (const node of root.querySelectorAll("[data-live-text]")) {
    const [wanted, field] = split(node.dataset.liveText);
    if (wanted === topic && data?.[field] !== undefined) node.textContent = data[field];
  }
  for (const node of root.querySelectorAll(`[data-live-reload~="${CSS.escape(topic)}"]`)) reload(node);
  root.dispatchEvent(new CustomEvent("onsil:live", { detail: { topic, data }, bubbles: true }));
}

function split(path) {
  const at = path.lastIndexOf(".");
  return [path.slice(0, at), path.slice(at + 1)];
}

function poll(root) {
  say(root, navigator.onLine ? "polling" : "off");
  const timer = setInterval(() => {
    if (!root.isConnected) return clearInterval(timer);
    if (!document.hidden) root.querySelectorAll("[data-live-reload]").forEach(reload);
  }, 15_000);
  return timer;
}

function open(root) {
  const topics = (root.dataset.topics ?? "").split(" ").filter(Boolean);
  let timer = 0;
  const source = new EventSource(root.dataset.live);
  source.onopen = () => { clearInterval(timer); timer = 0; say(root, "live"); };
  source.onerror = () => {
    if (!timer) timer = poll(root);
    if (!root.isConnected) { source.close(); clearInterval(timer); }
  };
  const receive = (event) => {
    let data = null;
    try { data = JSON.parse(event.data); } catch { /* a bare signal carries no data */ }
    apply(root, event.type, data);
  };
  for (const topic of topics) source.addEventListener(topic, receive);
  source.onmessage = receive;
}

export function listen(root = document) {
  for (const node of root.querySelectorAll("[data-live]")) {
    if (heard.has(node)) continue;
    heard.add(node);
    if (node.dataset.live && "EventSource" in window) open(node);
    else poll(node);
  }
}
