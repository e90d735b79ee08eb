// The explorer's charts on ECharts: times on the axis, zoomed together, a stretch picked with the
// brush and summed up in words, kept as a picture with its sources. The table below has the values.
import * as echarts from "../vendor/echarts.mjs";
import { short } from "./charts.js";

const english = document.documentElement.lang.startsWith("en");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const slots = ["--leaf", "--green-hub", "--watch", "--green-building", "--green-water", "--ink-faint"];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (value) => Number(value).toLocaleString(undefined, { maximumFractionDigits: 4 });
let drawn = [];

function moment(spec, at, form = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false }) {
  return new Intl.DateTimeFormat(english ? "en-GB" : "ko-KR", { ...form, timeZone: spec.zone }).format(at);
}

// An axis label names the day where a day begins, else the hour.
function tick(spec, at) {
  const hour = moment(spec, at, { hour: "2-digit", minute: "2-digit", hour12: false });
  return hour === "00:00" || hour === "24:00" ? moment(spec, at, { month: "numeric", day: "numeric" }) : hour;
}

function tip(spec, seen) {
  const box = document.createElement("div");
  const head = document.createElement("strong");
  head.textContent = moment(spec, seen[0].value[0]);
  box.append(head);
  for (const one of seen) {
    const line = document.createElement("div");
    line.textContent = `${one.seriesName}: ${one.value[1] === null ? "–" : `${number(one.value[1])} ${spec.unit}`}`;
    line.style.borderLeft = `4px solid ${one.color}`;
    line.style.paddingLeft = "6px";
    box.append(line);
  }
  return box;
}

function option(spec, { picture = false } = {}) {
  const letters = 0.78 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const axis = { axisLine: { lineStyle: { color: colour("--line") } }, axisTick: { show: false },
    axisLabel: { color: colour("--ink-faint"), hideOverlap: true, fontSize: letters }, splitLine: { lineStyle: { color: colour("--line-soft") } } };
  const made = spec.series.map((one, index) => {
    const hue = colour(slots[index % slots.length]);
    return { name: one.name, type: "line", data: one.points, showSymbol: one.points.length < 60, symbolSize: 5, connectNulls: false, color: hue,
      lineStyle: { width: one.before ? 1.5 : 2, opacity: one.before ? 0.75 : 1, type: one.kind === "simulated" ? "dotted" : one.kind === "modelled" ? "dashed" : "solid" },
      sampling: "lttb", emphasis: { focus: "series" } };
  });
  return {
    animation: !still && !picture, textStyle: { fontFamily: colour("--font") || "sans-serif", color: colour("--ink-soft"), fontSize: letters },
    aria: { enabled: true, label: { description: `${spec.about}: ${spec.title} (${spec.unit})` } },
    backgroundColor: picture ? colour("--surface") : undefined,
    title: picture ? { text: `${spec.about} – ${spec.title}`, left: 12, top: 8, textStyle: { color: colour("--ink"), fontSize: 16 } } : undefined,
    legend: picture ? { bottom: 30, textStyle: { color: colour("--ink-soft") } } : undefined,
    graphic: picture ? [{ type: "text", left: 12, bottom: 8, style: { text: footnote(spec), fill: colour("--ink-faint"), fontSize: 12 } }] : undefined,
    grid: { left: 8, right: 20, top: picture ? 72 : 30, bottom: picture ? 60 : 44, containLabel: true },
    tooltip: { trigger: "axis", confine: true, formatter: (seen) => tip(spec, seen), backgroundColor: colour("--surface"), borderColor: colour("--line"), textStyle: { color: colour("--ink"), fontSize: letters } },
    xAxis: { type: "time", ...axis, splitLine: { show: false }, axisLabel: { ...axis.axisLabel, formatter: (at) => tick(spec, at) } },
    yAxis: { type: "value", name: spec.unit, nameTextStyle: { color: colour("--ink-faint"), align: "left" }, nameGap: 10, scale: true, ...axis, axisLabel: { ...axis.axisLabel, formatter: short } },
    dataZoom: picture ? [] : [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseMove: false }, { type: "slider", height: 20, bottom: 8, labelFormatter: (at) => moment(spec, at) }],
    toolbox: { show: false },
    brush: picture ? undefined : { xAxisIndex: 0, brushType: "lineX", brushMode: "single", throttleType: "debounce", throttleDelay: 120, outOfBrush: { colorAlpha: 0.5 }, brushStyle: { color: "rgba(20,123,88,.15)", borderColor: colour("--leaf") } },
    series: made,
  };
}

const origins = { measured: ["실측", "Measured"], replayed: ["과거 실측 재생", "Replayed measurements"], simulated: ["모의 값, 실측 아님", "Simulated, not measured"], modelled: ["모형 추정", "Modelled"] };

function footnote(spec) {
  const kinds = [...new Set(spec.series.map((one) => one.kind))].filter((kind) => origins[kind]);
  return `${kinds.map((kind) => origins[kind][english ? 1 : 0]).join(", ")} · ${location.host}`;
}

// What lies between two moments, in words, for every line.
function summed(spec, from, until) {
  return spec.series.map((one) => {
    const held = one.points.filter(([at, value]) => value !== null && at >= from && at <= until).map(([, value]) => value);
    if (!held.length) return `${one.name}: ${english ? "no values" : "값 없음"}`;
    const mean = held.reduce((a, b) => a + b, 0) / held.length;
    const [low, high] = [Math.min(...held), Math.max(...held)];
    return english
      ? `${one.name}: ${held.length} values, mean ${number(mean)}, ${number(low)} to ${number(high)} ${spec.unit}`
      : `${one.name}: 값 ${held.length}개, 평균 ${number(mean)}, ${number(low)} ~ ${number(high)} ${spec.unit}`;
  });
}

function picked(root, form, spec, range) {
  const box = root.querySelector("[data-explore-picked]");
  box.hidden = false;
  box.querySelector("[data-picked-title]").textContent = `${moment(spec, range[0])} – ${moment(spec, range[1])}`;
  box.querySelector("[data-picked-list]").replaceChildren(...summed(spec, ...range).map((text) => {
    const line = document.createElement("li");
    line.textContent = text;
    return line;
  }));
  box.querySelector("[data-picked-zoom]").onclick = () => narrow(form, spec, range);
}

// The form asks for the stretch itself: finer steps, and a call that says so.
function narrow(form, spec, range) {
  const local = (at) => new Intl.DateTimeFormat("sv-SE", { timeZone: spec.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }).format(at).replace(" ", "T");
  form.elements.span.value = "own";
  form.elements.from.value = local(range[0]);
  form.elements.until.value = local(range[1] + 60_000);
  form.elements.span.dispatchEvent(new Event("change", { bubbles: true }));
  form.requestSubmit();
}

function drawOne(root, form, holder) {
  const spec = JSON.parse(holder.dataset.lines);
  const canvas = holder.querySelector(".chart__canvas");
  const chart = echarts.init(canvas, null, { renderer: "svg" });
  canvas.classList.add("chart__canvas--live");
  holder.querySelector("figure").classList.remove("chart--still");
  chart.group = "explore";
  chart.setOption(option(spec));
  chart.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "lineX", brushMode: "single" } });
  chart.on("brushEnd", (event) => {
    const range = event.areas[0]?.coordRange;
    if (range) picked(root, form, spec, range);
  });
  new ResizeObserver(() => { if (!chart.isDisposed()) chart.resize(); }).observe(canvas);
  return { chart, spec };
}

// Every chart in one picture, on paper as in the page: title, legend, where the values come from.
function picture() {
  const parts = drawn.map(({ spec }) => {
    const frame = document.createElement("div");
    Object.assign(frame.style, { width: "1200px", height: "560px", position: "fixed", left: "-9999px" });
    document.body.append(frame);
    const chart = echarts.init(frame, null, { renderer: "canvas", devicePixelRatio: 2 });
    chart.setOption(option(spec, { picture: true }));
    const sheet = chart.renderToCanvas({ pixelRatio: 2, backgroundColor: colour("--surface") });
    chart.dispose();
    frame.remove();
    return sheet;
  });
  const whole = document.createElement("canvas");
  whole.width = parts[0].width;
  whole.height = parts.reduce((sum, one) => sum + one.height, 0);
  let top = 0;
  for (const one of parts) { whole.getContext("2d").drawImage(one, 0, top); top += one.height; }
  whole.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${drawn[0].spec.title}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}

export function draw(root, form) {
  for (const { chart } of drawn) chart.dispose();
  drawn = [...root.querySelectorAll("[data-lines]")].map((holder) => drawOne(root, form, holder));
  if (!drawn.length) return;
  echarts.connect("explore");
  root.querySelector("[data-explore-hint]").hidden = matchMedia("(pointer: coarse)").matches;
  const button = root.querySelector("[data-explore-png]");
  button.hidden = false;
  button.addEventListener("click", picture);
  root.dataset.drawn = String(drawn.length);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const { chart, spec } of drawn) chart.setOption(option(spec), true); });
