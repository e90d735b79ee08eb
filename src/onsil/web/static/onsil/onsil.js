// What every page runs: ages that tick, islands loaded only where a page has them.
const english = document.documentElement.lang.startsWith("en");
const steps = [
  [31536000, "년", "y"], [2592000, "개월", "mo"], [86400, "일", "d"], [3600, "시간", "h"], [60, "분", "min"],
];

export function ago(seconds) {
  const ahead = seconds < 0;
  const span = Math.abs(Math.trunc(seconds));
  if (span < 45) return english ? "just now" : "방금";
  const [size, korean, latin] = steps.find(([s]) => span >= s) ?? steps.at(-1);
  const count = Math.max(1, Math.trunc(span / size));
  if (english) return ahead ? `in ${count} ${latin}` : `${count} ${latin} ago`;
  return `${count}${korean} ${ahead ? "후" : "전"}`;
}

function refreshAges() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    time.textContent = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
  }
}

// A form that moves money or state is sent once, however often its button is pressed.
function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post" || form.dataset.many !== undefined) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 8000);
}

// Dialogs: data-open="id" opens, data-close closes the one it stands in.
function dialogs(event) {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog")?.close();
  if (event.target.closest("[data-print]")) print();
}

// The officials' menu: which groups stay open is kept in a cookie, so that the server draws them so.
function keepMenu(event) {
  const group = event.target.closest("summary")?.parentElement;
  if (!group?.dataset.menu) return;
  const kept = document.cookie.match(/(?:^|; )console_menu=([a-z.]*)/)?.[1] ?? "";
  const open = new Set(kept.split(".").filter(Boolean));
  if (group.open) open.delete(group.dataset.menu);  // a click is told before it folds
  else open.add(group.dataset.menu);
  document.cookie = `console_menu=${[...open].join(".")}; path=/console; max-age=31536000; samesite=lax`;
}

export function islands(root = document) {
  if (root.querySelector("[data-chart]")) import("./charts.js").then((m) => m.draw(root));
  if (root.querySelector("[data-map]")) import("./map.js").then((m) => m.draw(root));
  if (root.querySelector("[data-live]")) import("./live.js").then((m) => m.listen(root));
}

addEventListener("submit", sendOnce);
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
addEventListener("click", dialogs);
addEventListener("click", keepMenu);
document.addEventListener("htmx:afterSettle", (event) => {
  islands(event.target);
  const panel = event.target.closest?.("dialog");
  if (panel && !panel.open) panel.showModal();
  refreshAges();
});
islands();
setInterval(refreshAges, 30_000);
