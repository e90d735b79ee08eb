// Puts a tick on each step of a trace that this browser has checked by itself.
import { checkBundle, cryptoAvailable, parseKey } from "./proof-check.js";

const english = document.documentElement.lang.startsWith("en");
const words = english
  ? {
      checked: "Checked by this browser", failed: "Does not match the log",
      unsigned: "In the tree; this browser cannot check Ed25519 signatures",
      all: (n) => `All ${n} proofs hold`, some: (bad, n) => `${bad} of ${n} proofs do not hold`,
      none: "Nothing here is sealed yet",
      noneDetail: "The next checkpoint is signed within seconds; load the page again.",
      allDetail: "Computed here from the rows' contents up to the signed root, without trusting the server.",
      someDetail: "A row was changed after it was sealed, or its proof is false. The steps are marked below.",
      unsignedDetail: "The tree was computed here; this browser lacks Ed25519, so check the signature with the downloaded file.",
      noCrypto: "This browser cannot check here",
      noCryptoDetail: "Checking wants a secure connection (https or localhost). Download the file and check it with the command.",
    }
  : {
      checked: "이 브라우저가 확인함", failed: "기록과 맞지 않음",
      unsigned: "기록 안에 있음. 이 브라우저는 Ed25519 서명을 확인하지 못합니다",
      all: (n) => `증명 ${n}개가 모두 맞습니다`, some: (bad, n) => `증명 ${n}개 가운데 ${bad}개가 맞지 않습니다`,
      none: "아직 봉인된 단계가 없습니다",
      noneDetail: "다음 서명은 몇 초 안에 이루어집니다. 잠시 뒤 새로 고쳐 주세요.",
      allDetail: "행의 내용부터 서명된 뿌리까지, 서버를 믿지 않고 여기서 직접 계산했습니다.",
      someDetail: "봉인된 뒤에 바뀐 행이 있거나 증명이 거짓입니다. 해당 단계를 표시했습니다.",
      unsignedDetail: "기록의 나무는 여기서 계산했습니다. 이 브라우저에는 Ed25519가 없어, 서명은 내려받은 파일로 확인해 주세요.",
      noCrypto: "이 브라우저에서는 확인할 수 없습니다",
      noCryptoDetail: "확인에는 안전한 연결(https 또는 localhost)이 필요합니다. 파일을 내려받아 명령으로 확인해 주세요.",
    };

const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

function tell(verdict, detail) {
  const [head, body] = ["verdict", "detail"].map((n) => document.querySelector(`[data-trace-${n}]`));
  if (head) head.textContent = verdict;
  if (body) body.textContent = detail;
}

function mark(step, found) {
  const node = document.getElementById(`step-${step}`)?.querySelector(":scope .proof");
  if (!node) return;
  node.classList.toggle("proof--checked", found.good);
  node.classList.toggle("proof--failed", !found.good);
  const said = node.querySelector("[data-proof-words]") ?? node;
  said.textContent = found.good
    ? found.signature === "valid" ? words.checked : words.unsigned
    : words.failed;
  node.title = `${found.origin} #${found.index} / ${found.size}  ${found.error ?? ""}`.trim();
}

async function run() {
  const proofs = read("trace-proofs") ?? [];
  const published = read("trace-keys") ?? {};
  document.documentElement.dataset.traceChecked = "pending";
  if (!cryptoAvailable()) return tell(words.noCrypto, words.noCryptoDetail);
  const keys = new Map();
  for (const [origin, vkey] of Object.entries(published)) keys.set(origin, await parseKey(vkey));
  let bad = 0;
  let unsigned = 0;
  for (const { step, bundle } of proofs) {
    const origin = bundle.checkpoint.split("\n", 1)[0];
    const found = await checkBundle(bundle, keys.get(origin) ?? null);
    mark(step, found);
    if (!found.good) bad += 1;
    if (found.signature === "unsupported") unsigned += 1;
  }
  const failed = bad || document.querySelector("[data-trace] .proof--failed") !== null;
  if (!proofs.length) tell(words.none, words.noneDetail);
  else if (failed) tell(words.some(Math.max(bad, 1), proofs.length), words.someDetail);
  else tell(words.all(proofs.length), unsigned ? words.unsignedDetail : words.allDetail);
  document.documentElement.dataset.traceChecked = failed ? "failed" : "done";
}

run();
