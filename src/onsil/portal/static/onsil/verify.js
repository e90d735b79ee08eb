// Checks what a reader pastes, picks or drops: receipts here in full, bundles and traces by their
// proofs. On a receipt's own page the receipt is there already. Nothing is sent, nothing is asked.
import { bundlesIn, checkBundle, cryptoAvailable, parseKey } from "./proof-check.js";
import { Unusable, readPolicy, verifyReceipt } from "./receipt-check.js";
import { element, icon, showReceipt, verdictOf } from "./receipt-view.js";
import { words } from "./receipt-words.js";

const root = document.querySelector("[data-check]");
const input = root.querySelector("textarea[name=receipt]");
const answer = root.querySelector("[data-check-answer]");
const status = root.querySelector("[data-check-status]");
const read = (id, otherwise) => JSON.parse(document.getElementById(id)?.textContent ?? otherwise);
const trust = read("receipt-trust", '{"logs":[],"keys":{},"policy":"","operators":{}}');
const given = read("receipt-given", "null");
const states = { good: "done", bad: "failed", watch: "unsure" };

function tell(state, head, detail = "") {
  root.dataset.checked = state;
  status.textContent = head;
  const title = element("h3", "receipt__verdict", head);
  answer.replaceChildren(element("div", `notice notice--${state === "pending" ? "info" : "bad"} receipt__head`,
    icon(state === "pending" ? "info" : "bad"), element("div", "stack stack--tight", title, element("p", "small", detail))));
}

// The keys and the policy of the reader's own, if any were given; else those of this city.
async function trusted() {
  const own = root.querySelector("textarea[name=policy]")?.value.trim() ?? "";
  if (!own) return { logs: trust.logs, policy: trust.policy ? await readPolicy(trust.policy) : null };
  if (/^[ \t]*quorum[ \t]/m.test(own)) return { logs: [], policy: await readPolicy(own) };
  return { logs: own.split(/\s*\n\s*/), policy: null };
}

async function runReceipt(bytes, focus) {
  let found;
  try {
    const { logs, policy } = await trusted();
    found = await verifyReceipt(bytes, logs, policy);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return tell("unreadable", words.policyBad(error.message));
  }
  if (!found.leaf && found.findings[0]?.code === "not-a-receipt") {
    return tell("unreadable", words.unreadable, words.unreadableDetail);
  }
  const title = showReceipt(answer, found, trust.operators);
  root.dataset.checked = states[verdictOf(found)];
  status.textContent = title.textContent;
  if (focus) title.focus();
}

async function runBundles(source) {
  let bundles;
  try {
    bundles = bundlesIn(source);
  } catch {
    return tell("unreadable", words.unreadable, words.unreadableDetail);
  }
  const list = element("ul", "check__list");
  let bad = 0;
  for (const bundle of bundles) {
    const vkey = trust.keys[String(bundle.checkpoint ?? "").split("\n", 1)[0]];
    const found = await checkBundle(bundle, vkey ? await parseKey(vkey) : null);
    if (!found.good) bad += 1;
    const item = element("li", "", element("strong", "", `${found.good ? "✓" : "✗"} ${words.bundle(found.kind, found.id)}`),
      found.error ? element("span", "small muted", found.error) : "");
    item.dataset.good = String(found.good);
    list.append(item);
  }
  const state = bad ? "bad" : "good";
  const head = bad ? words.bundlesBad(bad, bundles.length) : words.bundlesGood(bundles.length);
  answer.replaceChildren(element("div", `notice notice--${state} receipt__head`, icon(state), element("h3", "receipt__verdict", head)), list);
  status.textContent = head;
  root.dataset.checked = states[state];
}

async function run(bytes, focus = true) {
  if (!cryptoAvailable()) return tell("unreadable", words.noCrypto);
  tell("pending", words.working);
  const source = new TextDecoder().decode(bytes).trim();
  if (source.startsWith("{")) return runBundles(source);
  return runReceipt(bytes, focus);
}

// What is pasted may have lost its last line break on the way, or gained some.
function pasted() {
  const source = input.value.trim();
  if (!source) return tell("empty", words.empty);
  return run(new TextEncoder().encode(`${source}\n`));
}

async function opened(file) {
  if (!file) return;
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (input) input.value = new TextDecoder().decode(bytes);
  await run(bytes);
}

root.querySelector("[data-check-run]")?.addEventListener("click", pasted);
root.querySelector("input[type=file]")?.addEventListener("change", async (event) => {
  await opened(event.target.files[0]);
  event.target.value = "";
});
root.addEventListener("dragover", (event) => {
  event.preventDefault();
  root.dataset.over = "1";
});
for (const name of ["dragleave", "drop"]) root.addEventListener(name, () => delete root.dataset.over);
root.addEventListener("drop", (event) => {
  event.preventDefault();
  opened(event.dataTransfer.files[0]);
});

// A receipt's own page: checked at once; shared as a file where the phone can.
if (given !== null) run(new TextEncoder().encode(given.text), false);
const share = document.querySelector("[data-share]");
if (share && given !== null) {
  const file = new File([given.text], given.name.replace(/\.tlog-proof$/, ".txt"), { type: "text/plain" });
  if (navigator.canShare?.({ files: [file] })) {
    share.hidden = false;
    share.addEventListener("click", () => navigator.share({ files: [file], title: share.dataset.title }).catch(() => {}));
  }
}
