// Puts a site's newest day into its pop-up on the map, once it is opened.
async function fill(content) {
  const link = content.querySelector("a[href*='/sites/']");
  if (!link || content.dataset.filled) return;
  content.dataset.filled = "1";
  const place = document.createElement("div");
  place.className = "site-popup";
  content.append(place);
  const answer = await fetch(new URL("chart/", link.href));
  if (answer.ok) place.innerHTML = await answer.text();
  settle(content.closest(".maplibregl-map"));
}

// A pop-up chooses its side when its map moves or changes size. It has just grown, so the map is
// made a pixel smaller for a moment.
function settle(frame) {
  if (!frame) return;
  frame.style.bottom = "1px";
  requestAnimationFrame(() => requestAnimationFrame(() => { frame.style.bottom = ""; }));
}

for (const map of document.querySelectorAll("[data-map]")) {
  new MutationObserver(() => {
    for (const content of map.querySelectorAll(".maplibregl-popup-content")) fill(content);
  }).observe(map, { childList: true, subtree: true });
}
