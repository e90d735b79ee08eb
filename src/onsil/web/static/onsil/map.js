// Map islands on MapLibre GL: boundary, districts and places of a city, no tiles, no glyph server.
// The list beside the map carries the same places for keyboards and screen readers.
import * as gl from "../vendor/maplibre/maplibre-gl.mjs";

gl.setWorkerUrl(new URL("../vendor/maplibre/maplibre-gl-worker.mjs", import.meta.url).href);
const drawn = new WeakSet();
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const empty = { type: "FeatureCollection", features: [] };

export async function geojson(url) {
  if (!url) return empty;
  const answer = await fetch(url);
  return answer.ok ? answer.json() : empty;
}

function pointsOf(places) {
  return { type: "FeatureCollection", features: places.filter((p) => p.lon !== null && p.lon !== undefined).map((p) => ({
    type: "Feature", geometry: { type: "Point", coordinates: [Number(p.lon), Number(p.lat)] },
    properties: { id: String(p.id), name: p.name, kind: p.kind ?? "", status: p.status ?? "", note: p.note ?? "", href: p.href ?? "" },
  })) };
}

export function bounds(...collections) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (c) => {
    if (typeof c[0] === "number") {
      box[0] = Math.min(box[0], c[0]); box[1] = Math.min(box[1], c[1]);
      box[2] = Math.max(box[2], c[0]); box[3] = Math.max(box[3], c[1]);
    } else c.forEach(visit);
  };
  for (const one of collections) for (const f of one.features ?? [one]) if (f.geometry) visit(f.geometry.coordinates);
  return Number.isFinite(box[0]) ? box : null;
}

export function style(boundary, districts, places) {
  const greens = ["building", "water", "forest", "reuse", "citizen", "footprint", "hub"];
  const hue = ["match", ["get", "status"], "bad", colour("--bad"), "watch", colour("--watch"),
    ["match", ["get", "kind"], ...greens.flatMap((g) => [g, colour(`--green-${g}`)]), colour("--leaf")]];
  return {
    version: 8,
    sources: {
      boundary: { type: "geojson", data: boundary }, districts: { type: "geojson", data: districts }, places: { type: "geojson", data: places },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": colour("--sunken") } },
      { id: "city", type: "fill", source: "boundary", paint: { "fill-color": colour("--surface") } },
      { id: "districts", type: "line", source: "districts", paint: { "line-color": colour("--line"), "line-width": 1 } },
      { id: "boundary", type: "line", source: "boundary", paint: { "line-color": colour("--leaf"), "line-width": 2 } },
      { id: "places-halo", type: "circle", source: "places", paint: { "circle-radius": 9, "circle-color": colour("--surface") } },
      { id: "places", type: "circle", source: "places", paint: { "circle-radius": 7, "circle-color": hue } },
    ],
  };
}

function popup(map, properties, at) {
  const box = document.createElement("div");
  const title = document.createElement(properties.href ? "a" : "strong");
  title.textContent = properties.name;
  if (properties.href) title.href = properties.href;
  const note = document.createElement("div");
  note.textContent = properties.note;
  box.append(title, note);
  return new gl.Popup({ offset: 12 }).setLngLat(at).setDOMContent(box).addTo(map);
}

async function drawOne(root) {
  const spec = JSON.parse(root.dataset.map);
  const canvas = root.querySelector(".map__canvas");
  const [boundary, districts] = await Promise.all([geojson(spec.boundary), geojson(spec.districts)]);
  const places = pointsOf(spec.places);
  const box = bounds(boundary) ?? bounds(places);
  if (!box) return;
  canvas.replaceChildren();
  const frame = document.createElement("div");
  frame.className = "maplibregl-map";
  canvas.append(frame);
  const map = new gl.Map({
    container: frame, style: style(boundary, districts, places), bounds: [[box[0], box[1]], [box[2], box[3]]],
    fitBoundsOptions: { padding: 24 }, attributionControl: false, dragRotate: false, cooperativeGestures: false,
    fadeDuration: still ? 0 : 300,
  });
  map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
  let open = null;
  const show = (feature) => { open?.remove(); open = popup(map, feature.properties, feature.geometry.coordinates); };
  map.on("click", "places", (event) => show(event.features[0]));
  map.on("mouseenter", "places", () => { map.getCanvas().style.cursor = "pointer"; });
  map.on("mouseleave", "places", () => { map.getCanvas().style.cursor = ""; });
  const byId = new Map(places.features.map((f) => [f.properties.id, f]));
  const pick = (event) => {
    const item = event.target.closest("[data-place]");
    const feature = item && byId.get(item.dataset.place);
    if (!feature) return;
    if (event.type === "click" && event.target.closest("a")) return;
    map.easeTo({ center: feature.geometry.coordinates, zoom: Math.max(map.getZoom(), 12), animate: !still });
    show(feature);
  };
  root.querySelector(".map__list")?.addEventListener("click", pick);
  root.addEventListener("change", () => {
    const hidden = [...root.querySelectorAll("[data-layer]")].filter((i) => !i.checked).map((i) => i.dataset.layer);
    const filter = ["!", ["in", ["get", "kind"], ["literal", hidden]]];
    map.setFilter("places", filter);
    map.setFilter("places-halo", filter);
    for (const item of root.querySelectorAll("[data-place]")) item.hidden = hidden.includes(item.dataset.kind);
  });
}

export function draw(root = document) {
  for (const node of root.querySelectorAll("[data-map]")) {
    if (drawn.has(node)) continue;
    drawn.add(node);
    drawOne(node);
  }
}
