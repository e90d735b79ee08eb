// Drawing a place on the city's map: a circle by its centre and its edge, a polygon by its corners.
// What is drawn goes into the form's own fields, where it can be typed as well; typing draws it.
import * as gl from "../vendor/maplibre/maplibre-gl.mjs";
import { bounds, geojson, style } from "./map.js";

const EARTH_M = 6_371_008.8;
const NEAR_PX = 14;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const radians = (degrees) => (degrees * Math.PI) / 180;
const rounded = ({ lng, lat }) => [Number(lng.toFixed(5)), Number(lat.toFixed(5))];

function metres([x1, y1], [x2, y2]) {
  const [a, b] = [radians(y2 - y1) / 2, radians(x2 - x1) / 2];
  const h = Math.sin(a) ** 2 + Math.cos(radians(y1)) * Math.cos(radians(y2)) * Math.sin(b) ** 2;
  return 2 * EARTH_M * Math.asin(Math.sqrt(h));
}

function circle([lon, lat], radius) {
  const ring = [];
  for (let n = 0; n <= 64; n += 1) {
    const angle = (2 * Math.PI * n) / 64;
    const north = ((radius / EARTH_M) * 180) / Math.PI;
    ring.push([lon + (north * Math.cos(angle)) / Math.cos(radians(lat)), lat + north * Math.sin(angle)]);
  }
  return { type: "Polygon", coordinates: [ring] };
}

const feature = (geometry) => ({ type: "FeatureCollection", features: geometry ? [{ type: "Feature", properties: {}, geometry }] : [] });

// The shape as the form's fields say it, or null while they do not make one.
function typed(form) {
  const { lon, lat, radius, ring } = form.elements;
  const numbers = [lon, lat, radius].map((one) => Number.parseFloat(one.value));
  if (form.elements.place.value === "circle" && numbers.every(Number.isFinite) && numbers[2] > 0) return circle(numbers, numbers[2]);
  const corners = ring.value.trim().split("\n").map((line) => line.split(/[\s,]+/).map(Number)).filter((one) => one.length === 2 && one.every(Number.isFinite));
  if (form.elements.place.value === "polygon" && corners.length > 2) return { type: "Polygon", coordinates: [[...corners, corners[0]]] };
  return null;
}

export async function start(form, box) {
  const canvas = box.querySelector("[data-draw-canvas]");
  const said = box.querySelector("[data-draw-said]");
  const [boundary, districts] = await Promise.all([geojson(box.dataset.boundary), geojson(box.dataset.districts)]);
  const around = bounds(boundary) ?? [126.8, 36.9, 127.2, 37.2];
  const frame = document.createElement("div");
  frame.className = "maplibregl-map";
  canvas.replaceChildren(frame);
  const map = new gl.Map({ container: frame, style: style(boundary, districts, feature(null)), bounds: [[around[0], around[1]], [around[2], around[3]]],
    fitBoundsOptions: { padding: 12 }, attributionControl: false, dragRotate: false, doubleClickZoom: false });
  map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
  await map.once("load");
  map.addSource("shape", { type: "geojson", data: feature(typed(form)) });
  map.addLayer({ id: "shape", type: "fill", source: "shape", paint: { "fill-color": colour("--primary"), "fill-opacity": 0.2 } });
  map.addLayer({ id: "edge", type: "line", source: "shape", paint: { "line-color": colour("--primary"), "line-width": 2 } });
  const show = (geometry) => map.getSource("shape").setData(feature(geometry));
  let mode = "";
  let corners = [];
  const turn = (to, words) => {
    mode = to;
    corners = [];
    for (const one of box.querySelectorAll("[data-draw-as]")) one.setAttribute("aria-pressed", String(one.dataset.drawAs === to));
    map.getCanvas().style.cursor = to ? "crosshair" : "";
    said.textContent = box.querySelector("[data-draw-said]").dataset[words] ?? "";
  };
  const set = (kind, values) => {
    form.elements.place.value = kind;
    for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
    form.elements.place.dispatchEvent(new Event("change", { bubbles: true }));
    show(typed(form));
    turn("", "done");
  };
  for (const button of box.querySelectorAll("[data-draw-as]")) button.addEventListener("click", () => turn(button.dataset.drawAs, button.dataset.drawAs));
  box.querySelector("[data-draw-clear]").addEventListener("click", () => { set("", { lon: "", lat: "", radius: "", ring: "" }); said.textContent = ""; });
  form.addEventListener("change", () => { if (!mode) show(typed(form)); });
  map.on("mousemove", (event) => {
    if (!corners.length) return;
    const here = rounded(event.lngLat);
    show(mode === "circle" ? circle(corners[0], metres(corners[0], here)) : { type: "LineString", coordinates: [...corners, here] });
  });
  map.on("click", (event) => {
    const here = rounded(event.lngLat);
    if (mode === "circle" && corners.length) {
      set("circle", { lon: corners[0][0], lat: corners[0][1], radius: Math.max(1, Math.round(metres(corners[0], here))) });
    } else if (mode === "polygon" && corners.length > 2 && map.project(corners[0]).dist(event.point) < NEAR_PX) {
      set("polygon", { ring: corners.map((one) => one.join(" ")).join("\n") });
    } else if (mode) {
      corners.push(here);
      show(mode === "polygon" ? { type: "LineString", coordinates: corners } : null);
    }
  });
  box.dataset.drawable = "1";
}
