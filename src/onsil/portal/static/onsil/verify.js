// Checks what a reader pastes or picks: receipts, proof bundles, whole traces. Nothing is sent.
import { bundlesIn, checkBundle, cryptoAvailable, parseKey } from "./proof-check.js";

const english = document.documentElement.lang.startsWith("en");
const words = english
  ? {
      good: (n) => (n === 1 ? "The proof holds" : `All ${n} proofs hold`),
      bad: (bad, n) => (n === 1 ? "The proof does not hold" : `${bad} of ${n} proofs do not hold`),
      unreadable: "This is neither a receipt nor a bundle",
      empty: "Paste a receipt first, or pick a file",
      noCrypto: "Checking wants a secure connection (https or localhost)",
      content: "Content", place: "Place in the tree", signature: "Signature",
      fits: "is what was sealed", differs: "is not what was sealed", absent: "not included, only its seal",
      inside: (i, n) => `leaf ${i} of ${n}`, outside: "does not lead to the signed root",
      valid: "of this city's key", own: "of the key in the file; compare it with the city's",
      invalid: "does not hold", unsupported: "this browser lacks Ed25519; use the command", unchecked: "not reached",
    }
  : {
      good: (n) => (n === 1 ? "증명이 맞습니다" : `증명 ${n}개가 모두 맞습니다`),
      bad: (bad, n) => (n === 1 ? "증명이 맞지 않습니다" : `증명 ${n}개 가운데 ${bad}개가 맞지 않습니다`),
      unreadable: "영수증도 확인 파일도 아닙니다",
      empty: "영수증을 붙여 넣거나 파일을 골라 주세요",
      noCrypto: "확인에는 안전한 연결(https 또는 localhost)이 필요합니다",
      content: "내용", place: "기록 안의 자리", signature: "서명",
      fits: "봉인된 그대로입니다", differs: "봉인된 내용과 다릅니다", absent: "내용은 없이 봉인만 있습니다",
      inside: (i, n) => `${n}개 가운데 ${i}번 잎`, outside: "서명된 뿌리에 이르지 않습니다",
      valid: "이 도시의 키로 서명됨", own: "파일에 든 키로 서명됨. 도시의 키와 견주어 보세요",
      invalid: "서명이 맞지 않습니다", unsupported: "이 브라우저에는 Ed25519가 없습니다. 명령으로 확인해 주세요", unchecked: "확인하지 못함",
    };

const root = document.querySelector("[data-check]");
const input = root.querySelector("textarea");
const published = JSON.parse(document.getElementById("log-keys")?.textContent ?? "{}");

function tell(verdict, detail = "") {
  root.querySelector("[data-check-verdict]").textContent = verdict;
  root.querySelector("[data-check-detail]").textContent = detail;
}

function part(name, good, said) {
  const line = document.createElement("li");
  line.textContent = `${good ? "✓" : "✗"} ${name}: ${said}`;
  return line;
}

function show(found) {
  const item = document.createElement("li");
  item.dataset.good = String(found.good);
  const head = document.createElement("strong");
  head.textContent = `${found.good ? "✓" : "✗"} ${found.kind ?? ""} ${found.id ?? ""}`;
  const parts = document.createElement("ul");
  parts.className = "check__parts";
  const signed = found.signature === "valid" && found.ownKey ? "own" : found.signature;
  parts.append(
    part(words.content, found.entry !== "differs", words[found.entry]),
    part(words.place, found.inclusion, found.inclusion ? words.inside(found.index, found.size) : words.outside),
    part(words.signature, found.signature === "valid", words[signed]),
  );
  item.append(head, parts);
  if (found.error) {
    const reason = document.createElement("span");
    reason.className = "small muted";
    reason.textContent = found.error;
    item.append(reason);
  }
  root.querySelector("[data-check-list]").append(item);
}

async function run() {
  root.querySelector("[data-check-list]").replaceChildren();
  root.dataset.checked = "pending";
  if (!cryptoAvailable()) return tell(words.noCrypto);
  if (!input.value.trim()) return tell(words.empty);
  let bundles;
  try {
    bundles = bundlesIn(input.value);
  } catch (error) {
    root.dataset.checked = "unreadable";
    return tell(words.unreadable, error.message);
  }
  let bad = 0;
  for (const bundle of bundles) {
    const origin = String(bundle.checkpoint ?? "").split("\n", 1)[0];
    const vkey = published[origin];
    const found = await checkBundle(bundle, vkey ? await parseKey(vkey) : null);
    if (!found.good) bad += 1;
    show(found);
  }
  tell(bad ? words.bad(bad, bundles.length) : words.good(bundles.length));
  root.dataset.checked = bad ? "failed" : "done";
}

root.querySelector("[data-check-run]").addEventListener("click", run);
root.querySelector("input[type=file]").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  input.value = await file.text();
  event.target.value = "";
  run();
});
