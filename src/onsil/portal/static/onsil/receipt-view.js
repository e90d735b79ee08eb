// Shows what was found out about a receipt: the verdict, what the record says in plain words, and
// each step of the check with the drawing of the tree.
import { drawTree } from "./tree-drawing.js";
import { UNSURE, describe, finding, number, when, words } from "./receipt-words.js";
import { toHex } from "./proof-check.js";

const ICONS = {
  good: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12l3 3 5-6",
  bad: "M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 8v5M12 16h.01",
  watch: "M12 4l9 16H3zM12 10v4M12 17h.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v6M12 8h.01",
};

export function element(name, css, ...content) {
  const made = document.createElement(name);
  if (css) made.className = css;
  made.append(...content.filter((part) => part !== null && part !== ""));
  return made;
}

export function icon(state) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = {
    class: "icon", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.75",
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[state]);
  svg.append(path);
  return svg;
}

// good, bad, or watch where nothing is wrong but something could not be checked here.
export function verdictOf(found) {
  if (found.valid) return "good";
  return found.findings.every(({ code }) => UNSURE.has(code)) ? "watch" : "bad";
}

function verdict(found) {
  const state = verdictOf(found);
  const [head, detail] = {
    good: [words.good, words.goodDetail], bad: [words.bad, words.badDetail], watch: [words.unsure, words.unsureDetail],
  }[state];
  const title = element("h3", "receipt__verdict", head);
  title.tabIndex = -1;
  const faults = element("ul", "receipt__faults", ...found.findings.map((one) => element("li", "", finding(one))));
  return element("div", `notice notice--${state} receipt__head`, icon(state),
    element("div", "stack stack--tight", title, element("p", "small", detail), found.findings.length ? faults : ""));
}

function said(found) {
  if (!found.content) return "";
  const told = describe(found.content);
  const facts = element("dl", "facts", ...told.fields.flatMap(([name, value]) => [
    element("dt", "", name), element("dd", "", value),
  ]));
  const whole = element("details", "", element("summary", "", words.whole),
    element("pre", "note-text tiny", JSON.stringify(found.content, null, 1)));
  whole.lastChild.tabIndex = 0;
  return element("section", "card card--tight stack stack--tight receipt__said",
    element("h3", "small muted", words.said), element("p", "strong", told.title),
    told.amount ? element("p", "big", told.amount) : "", told.at ? element("p", "", told.at) : "",
    ...told.lines.map((line) => element("p", "small number", line)),
    told.fields.length ? facts : "", whole);
}

function step(state, title, text, ...more) {
  const item = element("li", "receipt__step",
    element("p", "receipt__name", icon(state), element("span", "strong", title)), element("p", "small", text), ...more);
  item.dataset.state = state;
  return item;
}

function contentStep(found, codes) {
  const fault = ["content-differs", "content-malformed", "city-differs"].find((code) => codes.has(code));
  if (fault) return step("bad", words.content, finding({ code: fault }));
  if (!found.content) return step("info", words.content, words.withheld);
  const hash = element("p", "tiny muted note-hash", `SHA-256 ${found.leaf.commitment}`);
  return step("good", words.content, words.contentGood, hash);
}

function placeStep(found, codes) {
  const { leaf } = found;
  const steps = found.steps.map((one) => ({ side: one.side, sibling: toHex(one.sibling), hash: toHex(one.hash) }));
  const bad = codes.has("not-in-the-tree");
  const text = bad ? finding({ code: "not-in-the-tree" }) : words.placeGood(number(leaf.index), number(leaf.size));
  if (!found.reached) return step("bad", words.place, text);
  const frame = element("div", "tree-frame", drawTree(leaf, steps, found.reached),
    element("p", "tiny muted tree-legend", element("span", "", words.computed), element("span", "", words.carried)));
  const list = element("ol", "tiny note-hash", ...steps.map((one, i) =>
    element("li", "", words.step(i + 1, one.side, one.sibling.slice(0, 16), one.hash.slice(0, 16)))));
  const inWords = element("details", "", element("summary", "small", words.up(steps.length)), list);
  return step(bad ? "bad" : "good", words.place, text, frame, steps.length ? inWords : "");
}

function logStep(found, codes) {
  const { origin } = found.leaf;
  if (found.logs.length) return step("good", words.log, words.logGood(found.logs.join(", ")));
  if (codes.has("signature-unchecked")) return step("watch", words.log, finding({ code: "signature-unchecked" }));
  const code = codes.has("log-unknown") ? "log-unknown" : "signature-wrong";
  return step("bad", words.log, finding({ code, detail: origin }));
}

function witnessStep(found, codes, operators) {
  const { quorum } = found;
  if (!quorum) return step("info", words.witnesses, words.witnessUnasked);
  if (!quorum.known) return step("info", words.witnesses, words.witnessNone);
  const wrong = found.findings.filter(({ code, detail }) => code === "signature-wrong" && detail !== found.leaf.origin);
  const state = codes.has("quorum-not-met") || wrong.length ? "bad" : !found.asked ? "info" : quorum.met ? "good" : "watch";
  const text = !found.asked ? words.witnessFree(quorum.signed, quorum.known) : quorum.met ? words.witnessGood(quorum.signed, quorum.known) : words.witnessFew(quorum.signed, quorum.known);
  const seen = found.witnesses.map(({ name, key, time }) =>
    element("li", "", element("span", "strong", operators[name] ?? key), ` · ${when(time * 1000)}`));
  const not = found.unchecked.map((name) => element("li", "muted", words.uncheckable(name)));
  const bad = wrong.map((one) => element("li", "", finding(one)));
  return step(state, words.witnesses, text, element("ul", "receipt__witnesses small", ...seen, ...not, ...bad));
}

function anchorStep(found, codes) {
  const fault = ["anchor-malformed", "anchor-does-not-cover"].find((code) => codes.has(code));
  if (fault) return step("bad", words.anchor, finding({ code: fault }));
  if (!found.anchor) return step("info", words.anchor, words.anchorNone);
  const { place, block, transaction, size } = found.anchor;
  const development = /^evm:(1337|31337):/.test(place) ? element("p", "small strong", words.anchorDevelopment) : "";
  return step("info", words.anchor, words.anchorGood(number(size)), development,
    element("p", "tiny muted note-hash", `${place} · block ${block} · ${transaction}`));
}

// Puts the answer of verifyReceipt into `root`; `operators` names who runs each witness. Returns
// the heading, for the focus.
export function showReceipt(root, found, operators = {}) {
  const codes = new Set(found.findings.map(({ code }) => code));
  root.replaceChildren(verdict(found));
  if (found.leaf) {
    const steps = element("ol", "receipt__steps", contentStep(found, codes), placeStep(found, codes),
      logStep(found, codes), witnessStep(found, codes, operators), anchorStep(found, codes));
    root.append(said(found), element("section", "stack stack--tight", element("h3", "small muted", words.steps), steps));
  }
  return root.querySelector(".receipt__verdict");
}
