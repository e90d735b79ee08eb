// What the receipt page says, in the reader's language: findings by their codes, and what a
// receipt's content means in plain words. Only what was proved is put into words.
export const english = document.documentElement.lang.startsWith("en");
const say = (ko, en) => (english ? en : ko);
const locale = english ? "en-GB" : "ko-KR";

const FINDINGS = {
  "not-a-receipt": [
    "영수증 파일이 아니거나 일부가 없어졌습니다.", "This is no receipt, or a part of it is missing."],
  "extra-malformed": [
    "무엇에 대한 영수증인지 적은 부분이 손상되었습니다.", "The part that says what it is for is damaged."],
  "content-differs": [
    "내용이 봉인된 것과 다릅니다. 누군가 고쳤을 수 있습니다.", "The content is not what was sealed. Somebody may have changed it."],
  "content-malformed": ["내용이 정해진 꼴이 아닙니다.", "The content is not in its canonical form."],
  "city-differs": ["다른 도시의 나무에 대고 만든 영수증입니다.", "The signed tree belongs to another city."],
  "not-in-the-tree": [
    "이 잎에서 올라가도 서명된 뿌리에 이르지 않습니다.", "The way up from this leaf does not lead to the signed root."],
  "log-unknown": [
    "믿는 로그의 서명이 없습니다. 다른 곳이 만든 영수증일 수 있습니다.", "No log that is trusted here has signed it. Somebody else may have made it."],
  "signature-wrong": ["서명이 맞지 않습니다", "A signature does not hold"],
  "signature-unchecked": [
    "이 브라우저는 로그의 서명을 계산하지 못합니다.", "This browser cannot check the log's signature."],
  "quorum-not-met": ["증인의 서명이 모자랍니다", "Too few witnesses have signed"],
  "quorum-unchecked": [
    "이 브라우저가 확인하지 못한 증인까지 세어야 정족수가 됩니다.", "The quorum needs witnesses whose signatures this browser cannot check."],
  "anchor-malformed": ["체인에 고정한 자리를 읽을 수 없습니다.", "The anchor's coordinates cannot be read."],
  "anchor-does-not-cover": [
    "체인에 고정했다는 나무에 이 잎이 없습니다.", "The leaf is not in the tree that is said to be anchored."],
};
const DETAILED = new Set(["signature-wrong", "quorum-not-met"]);
export const UNSURE = new Set(["signature-unchecked", "quorum-unchecked"]);

export function finding({ code, detail }) {
  const words = say(...(FINDINGS[code] ?? FINDINGS["not-a-receipt"]));
  return DETAILED.has(code) && detail ? `${words}: ${detail}` : words;
}

export const words = {
  good: say("영수증이 맞습니다", "This receipt is true"),
  goodDetail: say("이 브라우저가 내용부터 서명까지 직접 계산했습니다.", "Computed in this browser, from the content up to the signatures."),
  bad: say("영수증이 맞지 않습니다", "This receipt is not true"),
  badDetail: say("아래에 무엇이 틀렸는지 적었습니다. 받은 곳에 새 영수증을 청하세요.", "What is wrong is named below. Ask for a new receipt where you got it."),
  unsure: say("틀린 것은 없지만 다 확인하지 못했습니다", "Nothing is wrong, but not all could be checked"),
  unsureDetail: say("이 브라우저가 모르는 서명이 있습니다. 아래의 한 파일 프로그램으로 확인해 주세요.", "This browser does not know some signatures. Use the one-file program below."),
  unreadable: say("영수증도 확인 파일도 아닙니다", "This is neither a receipt nor a bundle"),
  unreadableDetail: say("받은 파일을 통째로 고르거나, 첫 줄 c2sp.org/tlog-proof@v1부터 끝까지 붙여 넣어 주세요.", "Pick the whole file, or paste it from its first line, c2sp.org/tlog-proof@v1, to its end."),
  empty: say("영수증을 붙여 넣거나 파일을 골라 주세요", "Paste a receipt first, or pick a file"),
  working: say("계산하고 있습니다 …", "Computing …"),
  noCrypto: say("확인에는 안전한 연결(https 또는 localhost)이 필요합니다", "Checking wants a secure connection (https or localhost)"),
  policyBad: (line) => say(`정책이나 열쇠를 읽을 수 없습니다: ${line}`, `The policy or key cannot be read: ${line}`),
  said: say("이 기록은 이렇게 말합니다", "What the record says"),
  withheld: say("내용은 담겨 있지 않습니다. 지문이 나무에 있는 것만 확인했습니다.", "The content is not in this receipt; only its fingerprint's place was checked."),
  whole: say("봉인된 글 전체", "The sealed text, whole"),
  steps: say("하나씩 확인한 것", "What was checked, one by one"),
  content: say("내용과 지문", "Content and fingerprint"),
  contentGood: say("내용에 소금을 쳐 계산한 지문이 영수증의 지문과 같습니다.", "The salted content gives exactly the receipt's fingerprint."),
  place: say("나무에서의 자리", "Its place in the tree"),
  placeGood: (i, n) => say(`${n}개의 잎 가운데 ${i}번 잎에서 올라가 서명된 뿌리에 이르렀습니다.`, `From leaf ${i} of ${n}, the way up led to the signed root.`),
  log: say("로그의 서명", "The log's signature"),
  logGood: (name) => say(`${name}의 열쇠로 서명되었습니다.`, `Signed with the key of ${name}.`),
  witnesses: say("증인", "Witnesses"),
  witnessGood: (k, n) => say(`정책의 증인 ${n}곳 가운데 ${k}곳이 같은 나무를 보았다고 서명했습니다. 정족수를 채웁니다.`, `${k} of the policy's ${n} witnesses signed that they saw the same tree. That meets the quorum.`),
  witnessFree: (k, n) => say(`정책은 정족수를 두지 않습니다. 아는 증인 ${n}곳 가운데 ${k}곳이 같은 나무에 서명했습니다.`, `The policy asks for no quorum. ${k} of the ${n} witnesses it knows signed the same tree.`),
  witnessFew: (k, n) => say(`정책의 증인 ${n}곳 가운데 ${k}곳만 서명했습니다.`, `Only ${k} of the policy's ${n} witnesses have signed.`),
  witnessUnasked: say("정책이 없어 증인은 따지지 않았습니다.", "Without a policy, witnesses were not asked for."),
  witnessNone: say("이 도시의 정책은 아직 바깥 증인을 두지 않습니다.", "This city's policy has no outside witnesses yet."),
  uncheckable: (name) => say(`${name}: ML-DSA-44 서명은 이 브라우저가 확인하지 못합니다. verify_receipt.py로 확인할 수 있습니다.`, `${name}: this browser cannot check ML-DSA-44 signatures; verify_receipt.py can.`),
  anchor: say("체인 고정", "Anchored on a chain"),
  anchorGood: (size) => say(`이 잎은 크기 ${size}의 나무에 있고, 영수증은 그 나무가 아래 자리에 고정되었다고 합니다. 체인에는 묻지 않았습니다.`, `The leaf is in the tree of size ${size}, which the receipt says is anchored below. The chain was not asked.`),
  anchorDevelopment: say("개발용 체인이며, 바깥 사람에게는 아무것도 증명하지 않습니다.", "This is a development chain: it proves nothing to outsiders."),
  anchorNone: say("이 영수증을 만들 때는 아직 고정 전이었습니다.", "Not anchored yet when this receipt was made."),
  up: (n) => say(`올라가는 길 ${n}걸음을 글로 보기`, `The way up in words, ${n} steps`),
  step: (i, side, hash, made) => say(
    `${i}걸음: ${side === "left" ? "왼쪽" : "오른쪽"} 짝 ${hash} → ${made}`,
    `Step ${i}: sibling on the ${side} ${hash} → ${made}`),
  drawing: (i, n, k) => say(
    `나무 그림: 맨 아래가 이 기록의 잎(${n}개 가운데 ${i}번)이고, 짝과 합치며 ${k}걸음 올라가면 서명된 뿌리입니다.`,
    `Drawing of the tree: at the bottom this record's leaf (number ${i} of ${n}); joined with its sibling at each of ${k} steps, it reaches the signed root.`),
  signedRoot: say("서명된 뿌리", "signed root"),
  reachedRoot: say("이르른 곳", "reached"),
  mine: (i) => say(`이 기록 · ${i}번 잎`, `this record · leaf ${i}`),
  computed: say("● 여기서 계산한 값", "● computed here"),
  carried: say("▭ 영수증에 든 짝", "▭ sibling in the receipt"),
  bundle: (kind, id) => `${kind ?? ""} ${id ?? ""}`,
  bundlesGood: (n) => say(n === 1 ? "증명이 맞습니다" : `증명 ${n}개가 모두 맞습니다`, n === 1 ? "The proof holds" : `All ${n} proofs hold`),
  bundlesBad: (b, n) => say(n === 1 ? "증명이 맞지 않습니다" : `증명 ${n}개 가운데 ${b}개가 맞지 않습니다`, n === 1 ? "The proof does not hold" : `${b} of ${n} proofs do not hold`),
};

const TYPES = {
  payment: ["가게에서 결제", "Payment at a shop"], conversion: ["포인트를 지역화폐로 바꿈", "Points became local currency"],
  award: ["보상 포인트를 받음", "Reward points received"], charge: ["지역화폐 충전", "Local currency charged"],
  gift: ["선물", "Gift"], "gift-taken": ["선물을 받음", "Gift taken"], refund: ["환불", "Refund"],
  cashback: ["캐시백", "Cashback"], "cashback-return": ["캐시백 회수", "Cashback returned"],
  settlement: ["가맹점 정산", "Settled with the shop"], payout: ["정산금 송금", "Paid out to the shop"],
  "policy-grant": ["정책 지원금", "Policy money"], issuance: ["크레딧 발행", "Credits issued"],
  sale: ["크레딧 판매", "Credits sold"], retirement: ["크레딧 사용 완료", "Credits retired"],
  cancellation: ["취소", "Cancellation"], expiry: ["기한이 지나 소멸", "Expired"],
};
const KINDS = {
  transfer: ["이체", "Transfer"], award: ["보상", "Award"], claim: ["감축량 등록", "Claim"],
  retirement: ["크레딧 사용 완료", "Credits retired"], issuance: ["크레딧 발행", "Credits issued"],
  erasure: ["내용 지움", "Erasure"],
};
const OWNERS = {
  citizen: ["시민", "citizen"], merchant: ["가맹점", "shop"], company: ["기업", "company"], fund: ["기금", "fund"],
  budget: ["예산", "budget"], reserve: ["포인트 준비금", "points reserve"], trust: ["신탁 계좌", "trust account"],
  issuer: ["발행", "issue"], payable: ["지급할 돈", "payable"], external: ["은행", "bank"], fee: ["수수료", "fee"],
  float: ["카드 미수", "card float"], subsidy: ["지원금", "subsidy"], breakage: ["소멸", "breakage"], quota: ["한도", "quota"],
};
const FIELDS = {
  programme: ["프로그램", "Programme"], points: ["포인트", "Points"], krw: ["예산에서 나간 돈", "From the budget"],
  awarded_at: ["받은 때", "Awarded"], expires_at: ["기한", "Expires"], memo: ["메모", "Memo"],
  tonnes: ["톤", "Tonnes"], co2e_t: ["tCO2e", "tCO2e"], reason: ["사유", "Reason"], beneficiary: ["누구를 위해", "Beneficiary"],
  recorded_at: ["기록한 때", "Recorded"], year: ["해", "Year"], basis: ["근거", "Basis"], retired_at: ["쓴 때", "Retired"],
};
const SHOWN = Object.keys(FIELDS);
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

export const number = (value) => Number(value).toLocaleString(locale);

export function when(instant) {
  return new Date(instant).toLocaleString(locale, { dateStyle: "long", timeStyle: "medium" });
}

function owner(code) {
  const [what, ...rest] = String(code).split(":");
  const word = OWNERS[what] ? say(...OWNERS[what]) : what;
  const whose = rest.join(":");
  return /^[0-9a-f-]{36}$/.test(whose) ? `${word} …${whose.slice(-4)}` : word;
}

function money(amount, asset) {
  const [what] = String(asset).split(":");
  if (what === "KRW") return say(`${number(amount)}원`, `${number(amount)} won`);
  if (what === "local") return say(`지역화폐 ${number(amount)}원`, `${number(amount)} won of local currency`);
  if (what === "point") return say(`${number(amount)}점`, `${number(amount)} points`);
  return `${number(amount)} ${asset}`;
}

// Headline, lines and named fields of a proved content.
export function describe(content) {
  const kind = KINDS[content.kind] ? say(...KINDS[content.kind]) : String(content.kind);
  const type = TYPES[content.type];
  const at = content.effective_at ?? content.awarded_at ?? content.retired_at ?? content.at;
  const legs = Array.isArray(content.legs) ? content.legs : [];
  const fields = SHOWN.filter((name) => ["string", "number"].includes(typeof content[name]) && content[name] !== "" && content[name] !== at)
    .map((name) => {
      const value = content[name];
      return [say(...FIELDS[name]), INSTANT.test(value) ? when(value) : typeof value === "number" && name !== "year" ? number(value) : String(value)];
    });
  return {
    title: type ? say(...type) : content.type ? `${kind} · ${content.type}` : kind,
    amount: legs.length ? money(legs[0].amount, legs[0].asset) : content.points ? money(content.points, "point") : "",
    at: INSTANT.test(at) ? when(at) : "",
    lines: legs.filter((leg) => !String(leg.asset).startsWith("quota:"))
      .map((leg) => `${owner(leg.source)} → ${owner(leg.destination)} · ${money(leg.amount, leg.asset)}`),
    fields,
  };
}
