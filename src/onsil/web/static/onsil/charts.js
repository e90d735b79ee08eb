// Chart islands on ECharts: <figure data-chart='{…}'> as described in docs/design-system.md.
// Measured is solid, modelled dashed, simulated hatched; what is missing stays a gap.
import * as echarts from "../vendor/echarts.mjs";

const english = document.documentElement.lang.startsWith("en");
const drawn = new WeakMap();
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const slots = ["--leaf", "--green-hub", "--watch", "--green-building", "--green-water", "--ink-faint"];
const seriesColour = (spec, index) => colour(spec.green ? `--green-${spec.green}` : slots[index % 6]);

// 1.23억, 4.5만 – or M and k; exact figures are in the tooltip and the table.
export function short(value) {
  if (value === null || value === undefined) return "–";
  const units = english ? [[1e9, " bn"], [1e6, " M"], [1e4, " k"]] : [[1e12, "조"], [1e8, "억"], [1e4, "만"]];
  for (const [size, word] of units) {
    if (Math.abs(value) >= size) {
      return `${Number((value / (word === " k" ? 1e3 : size)).toPrecision(3)).toLocaleString()}${word}`;
    }
  }
  return Number(value.toPrecision(Math.max(3, Math.ceil(Math.log10(Math.abs(value) + 1))))).toLocaleString();
}

const exact = (value, unit) =>
  value === null || value === undefined || value === "-" ? "–" : `${Number(value).toLocaleString(undefined, { maximumFractionDigits: 6 })} ${unit ?? ""}`;

// Letters grow with the page's own, so that the wall's charts are read from afar.
const letters = () => 0.78 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

function texts() {
  const ink = colour("--ink-soft");
  return {
    textStyle: { fontFamily: colour("--font") || "sans-serif", color: ink, fontSize: letters() },
    axis: { axisLine: { lineStyle: { color: colour("--line") } }, axisTick: { show: false },
      axisLabel: { color: colour("--ink-faint"), hideOverlap: true, fontSize: letters() }, splitLine: { lineStyle: { color: colour("--line-soft") } } },
  };
}

function cartesian(spec, height) {
  const { textStyle, axis } = texts();
  const bars = spec.kind !== "line";
  const series = (spec.series ?? []).flatMap((one, index) => drawSeries(spec, one, index, bars));
  if (series.length) series[0].markArea = shade(spec);
  if (series.length && spec.target) series[0].markLine = target(spec.target);
  return {
    animation: !still, textStyle, aria: { enabled: true, label: { description: spec.description || spec.title } },
    grid: { left: 8, right: 28, top: 24, bottom: (spec.labels?.length ?? 0) > 200 ? 56 : 8, containLabel: true },
    tooltip: { trigger: "axis", confine: true, valueFormatter: (v) => exact(Array.isArray(v) ? v[1] : v, spec.unit),
      backgroundColor: colour("--surface"), borderColor: colour("--line"), textStyle: { color: colour("--ink") } },
    xAxis: { type: "category", data: spec.labels, boundaryGap: bars, ...axis, splitLine: { show: false } },
    yAxis: { type: "value", name: spec.unit, nameTextStyle: { color: colour("--ink-faint"), align: "left" }, nameGap: 10,
      scale: false, ...axis, axisLabel: { ...axis.axisLabel, formatter: short }, splitNumber: height < 200 ? 3 : 5 },
    dataZoom: (spec.labels?.length ?? 0) > 200 ? [{ type: "inside" }, { type: "slider", height: 22, bottom: 8 }] : [],
    series,
  };
}

function drawSeries(spec, one, index, bars) {
  const hue = seriesColour(one, index);
  const made = [];
  if (one.low && one.high) made.push(...band(one, hue, index));
  made.push({
    name: one.name, data: one.values.map((v) => (v === null ? "-" : v)), type: bars ? "bar" : "line",
    stack: spec.kind === "stacked" ? "all" : undefined, connectNulls: false, showSymbol: false, color: hue,
    lineStyle: { width: 2, type: one.kind === "modelled" ? "dashed" : one.kind === "simulated" ? "dotted" : "solid" },
    itemStyle: one.kind === "simulated" && bars
      ? { color: hue, decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: Math.PI / 4, color: colour("--surface") } }
      : one.kind === "modelled" && bars ? { color: "transparent", borderColor: hue, borderType: "dashed", borderWidth: 1.5 } : { color: hue },
    areaStyle: one.area ? { opacity: 0.15 } : undefined, emphasis: { focus: "series" },
    endLabel: !bars && spec.series.length > 1 ? { show: false } : undefined,
  });
  return made;
}

// The band of uncertainty is two stacked lines, the lower unseen.
function band(one, hue, index) {
  const common = { type: "line", stack: `band-${index}`, symbol: "none", silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false } };
  return [
    { ...common, data: one.low },
    { ...common, data: one.high.map((h, i) => (h === null || one.low[i] === null ? "-" : h - one.low[i])), areaStyle: { color: hue, opacity: 0.15 } },
  ];
}

function shade(spec) {
  if (!spec.shaded?.length) return undefined;
  return { silent: true, itemStyle: { color: colour("--leaf-soft"), opacity: 0.8 },
    data: spec.shaded.map(([a, b]) => [{ xAxis: a }, { xAxis: Math.min(b, spec.labels.length - 1) }]) };
}

function target(wanted) {
  return { silent: true, symbol: "none", lineStyle: { color: colour("--ink-faint"), type: "dashed" },
    label: { formatter: wanted.label ?? "", position: "insideEndTop", color: colour("--ink-soft") }, data: [{ yAxis: wanted.value }] };
}

// Ems a label takes: Hangul one each, other letters about half.
const ems = (text) => [...text].reduce((sum, c) => sum + (c > "\u1100" ? 1 : 0.56), 0);

function sankey(spec) {
  const { textStyle } = texts();
  const names = [...new Set(spec.links.flatMap((l) => [l.source, l.target]))];
  const hue = (name) => colour(spec.greens?.[name] ? `--green-${spec.greens[name]}` : "--leaf");
  const sums = (end) => spec.links.reduce((all, l) => all.set(l[end], (all.get(l[end]) ?? 0) + l.value), new Map());
  const size = letters();
  const label = (name, value) => `${name} ${short(value)} ${spec.unit ?? ""}`;
  const right = Math.max(...[...sums("target")].map(([name, value]) => ems(label(name, value))));
  return {
    animation: !still, textStyle, aria: { enabled: true, label: { description: spec.description || spec.title } },
    tooltip: { confine: true, valueFormatter: (v) => exact(v, spec.unit), backgroundColor: colour("--surface"), borderColor: colour("--line"), textStyle: { color: colour("--ink") } },
    series: [{ type: "sankey", left: 4, right: Math.min(right * size + 12, 360), top: size, bottom: size, nodeWidth: size, nodeGap: 1.7 * size,
      draggable: false, emphasis: { focus: "adjacency" }, label: { color: colour("--ink"), textBorderColor: colour("--surface"), textBorderWidth: 3, fontSize: size, formatter: (p) => label(p.name, p.value) },
      lineStyle: { color: "source", opacity: 0.28 }, data: names.map((name) => ({ name, itemStyle: { color: hue(name) } })), links: spec.links }],
  };
}

const optionOf = (spec, height) => (spec.kind === "sankey" ? sankey(spec) : cartesian(spec, height));

function drawOne(figure) {
  const spec = JSON.parse(figure.dataset.chart);
  const canvas = figure.querySelector(".chart__canvas");
  if (!spec.labels?.length && !spec.links?.length) return;
  const known = drawn.get(figure);
  if (known) known.dispose();
  // A flow is as high as its columns need; the server's drawing has found out how high.
  if (spec.kind === "sankey" && !known) canvas.style.height = `${canvas.clientHeight}px`;
  const chart = echarts.init(canvas, null, { renderer: "svg" });
  chart.setOption(optionOf(spec, canvas.clientHeight));
  canvas.classList.add("chart__canvas--live");
  drawn.set(figure, chart);
  new ResizeObserver(() => { if (!chart.isDisposed()) chart.resize(); }).observe(canvas);
}

// Charts below the fold wait until they are near; the server's own drawing stands meanwhile.
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) { watcher.unobserve(entry.target); drawOne(entry.target); }
  }
}, { rootMargin: "300px" });

export function draw(root = document) {
  for (const figure of root.querySelectorAll("[data-chart]")) {
    if (!drawn.has(figure)) watcher.observe(figure);
  }
}

const redraw = () => document.querySelectorAll("[data-chart]").forEach((f) => { if (drawn.has(f)) drawOne(f); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
