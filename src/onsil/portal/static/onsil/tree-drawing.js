// Draws where a leaf sits in the tree: the way up to the root, the sibling at each step beside it.
import { number, words } from "./receipt-words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 340, ROW = 42, TOP = 58, BOTTOM = 78, MIDDLE = 170, ASIDE = 108;
const short = (hex) => hex.slice(0, 8);

function shape(parent, name, attributes, content) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (content !== undefined) made.textContent = content;
  parent.append(made);
  return made;
}

// `steps` as climb gives them with hashes in hex; `reached` is where they lead, `root` what is signed.
export function drawTree({ index, size, root }, steps, reached) {
  const good = reached === root;
  const height = TOP + steps.length * ROW + BOTTOM;
  const level = (k) => height - BOTTOM - k * ROW;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  svg.setAttribute("class", "tree");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words.drawing(number(index), number(size), steps.length));
  steps.forEach((step, k) => {
    const side = step.side === "left" ? -1 : 1;
    const x = MIDDLE + side * ASIDE;
    shape(svg, "path", { class: "tree__branch", d: `M${x} ${level(k)}L${MIDDLE} ${level(k + 1)}` });
    shape(svg, "path", { class: "tree__way", d: `M${MIDDLE} ${level(k)}V${level(k + 1)}` });
    shape(svg, "rect", { class: "tree__sibling", x: x - 40, y: level(k) - 12, width: 80, height: 24, rx: 4 });
    shape(svg, "text", { class: "tree__hash", x, y: level(k) + 4, "text-anchor": "middle" }, short(step.sibling));
  });
  steps.forEach((step, k) => {
    if (k === steps.length - 1) return;
    const side = steps[k + 1].side === "left" ? 1 : -1;
    shape(svg, "circle", { class: "tree__node", cx: MIDDLE, cy: level(k + 1), r: 6 });
    shape(svg, "text", {
      class: "tree__hash tree__hash--own", x: MIDDLE + side * 14, y: level(k + 1) + 4,
      "text-anchor": side > 0 ? "start" : "end",
    }, short(step.hash));
  });
  top(svg, level(steps.length), good, root, reached);
  leaf(svg, level(0), index, size);
  return svg;
}

function top(svg, y, good, root, reached) {
  shape(svg, "rect", { class: `tree__root tree__root--${good ? "good" : "bad"}`, x: MIDDLE - 92, y: y - 44, width: 184, height: 28, rx: 14 });
  shape(svg, "text", { class: "tree__label", x: MIDDLE, y: y - 25, "text-anchor": "middle" }, `${good ? "✓" : "✗"} ${words.signedRoot} ${short(root)}`);
  shape(svg, "path", { class: good ? "tree__way" : "tree__gap", d: `M${MIDDLE} ${y}V${y - 16}` });
  shape(svg, "circle", { class: `tree__node tree__node--${good ? "good" : "bad"}`, cx: MIDDLE, cy: y, r: 7 });
  if (!good) {
    shape(svg, "text", { class: "tree__hash tree__hash--bad", x: MIDDLE + 14, y: y + 4 }, `≠ ${words.reachedRoot} ${short(reached)}`);
  }
}

// The leaf, and under it where it stands among all.
function leaf(svg, y, index, size) {
  const left = 24, right = WIDTH - 24, line = y + 56;
  const x = size > 1 ? left + (index / (size - 1)) * (right - left) : MIDDLE;
  shape(svg, "circle", { class: "tree__leaf", cx: MIDDLE, cy: y, r: 9 });
  shape(svg, "text", { class: "tree__label", x: MIDDLE, y: y + 28, "text-anchor": "middle" }, words.mine(number(index)));
  shape(svg, "path", { class: "tree__row", d: `M${left} ${line}H${right}` });
  shape(svg, "path", { class: "tree__lead", d: `M${MIDDLE} ${y + 34}L${x} ${line - 6}` });
  shape(svg, "circle", { class: "tree__leaf", cx: x, cy: line, r: 5 });
  shape(svg, "text", { class: "tree__hash", x: left, y: line + 18 }, "0");
  shape(svg, "text", { class: "tree__hash", x: right, y: line + 18, "text-anchor": "end" }, number(size - 1));
}
