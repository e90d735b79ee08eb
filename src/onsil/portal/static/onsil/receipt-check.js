// Verifies a receipt (C2SP tlog-proof) in the reader's own browser, by the same rules as the
// stand-alone program verify_receipt.py: what was logged, the way up the tree, the log's signature,
// the witnesses' cosignatures and the quorum of a policy, the tree that an anchor names. It asks
// nobody: whatever it needs is in the receipt and in the keys it is given.
import {
  canonical, climb, fromBase64, fromHex, isName, parseCheckpoint, parseNumber, same, sha256, toHex,
} from "./proof-check.js";

const HEADER = "c2sp.org/tlog-proof@v1";
const FORMAT = "onsil-receipt@v1";
const ED25519 = 1, COSIGNATURE = 4, MLDSA = 6;
const LENGTHS = { [ED25519]: 32, [COSIGNATURE]: 32, [MLDSA]: 1312 };
const HEX32 = /^[0-9a-f]{64}$/;
const ANCHOR = {
  place: /^[a-z][a-z0-9-]{0,19}:[!-~]{1,200}$/, size: "number", root: HEX32,
  transaction: /^[!-~]{0,200}$/, block: "number", proof: "list",
};
const text = new TextEncoder();

// What does not hold, by its code; the page has the words.
class Wrong extends Error {
  constructor(code, detail = "") {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

// A key or a policy that cannot be used.
export class Unusable extends Error {}

// Runs a step whose every failure means `code`.
function orWrong(code, step) {
  try {
    return step();
  } catch (error) {
    throw error instanceof Wrong ? error : new Wrong(code, error.message);
  }
}

function readCanonical(bytes, code) {
  return orWrong(code, () => {
    const source = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(source);
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Wrong(code);
    if (canonical(value) !== source) throw new Wrong(code, "another spelling");
    return value;
  });
}

function parseExtra(bytes) {
  const code = "extra-malformed";
  const extra = readCanonical(bytes, code);
  const whole = Object.hasOwn(extra, "content");
  const members = ["commitment", "format", ...(whole ? ["content", "salt"] : [])].sort();
  const given = Object.keys(extra).filter((name) => name !== "anchor").sort();
  if (extra.format !== FORMAT || given.join() !== members.join()) throw new Wrong(code, FORMAT);
  if (!HEX32.test(extra.commitment) || typeof extra.commitment !== "string") throw new Wrong(code);
  if (whole && (typeof extra.salt !== "string" || !HEX32.test(extra.salt))) throw new Wrong(code);
  if (whole && typeof extra.content !== "string") throw new Wrong(code);
  return extra;
}

function parse(bytes) {
  const code = "not-a-receipt";
  return orWrong(code, () => {
    const source = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const cut = source.indexOf("\n\n");
    const lines = source.slice(0, Math.max(cut, 0)).split("\n");
    if (cut < 0 || lines[0] !== HEADER) throw new Wrong(code, HEADER);
    if (!lines[1]?.startsWith("extra ") || !lines[2]?.startsWith("index ")) {
      throw new Wrong(code, "extra, index");
    }
    const extra = orWrong("extra-malformed", () => fromBase64(lines[1].slice(6)));
    const index = parseNumber(lines[2].slice(6), "the index");
    const path = lines.slice(3).map(fromBase64);
    if (path.some((hash) => hash.length !== 32)) throw new Wrong(code, "SHA-256");
    return { extra: parseExtra(extra), index, path, note: parseCheckpoint(source.slice(cut + 2)) };
  });
}

// A verifier key (c2sp.org/signed-note#verifier-keys). Throws Unusable for anything else.
export async function readKey(vkey) {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  if (!parts || !isName(parts[1])) throw new Unusable(vkey.slice(0, 60));
  let raw;
  try {
    raw = fromBase64(parts[3]);
  } catch {
    throw new Unusable(vkey.slice(0, 60));
  }
  if (raw.length - 1 !== LENGTHS[raw[0]]) throw new Unusable(vkey.slice(0, 60));
  const id = (await sha256(text.encode(`${parts[1]}\n`), raw)).slice(0, 4);
  if (toHex(id) !== parts[2]) throw new Unusable(vkey.slice(0, 60));
  return { name: parts[1], id, kind: raw[0], raw: raw.slice(1) };
}

// A policy file (c2sp.org/tlog-policy): logs, witnesses and the quorum. Throws Unusable.
export async function readPolicy(source) {
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null };
  const members = new Set();
  const known = (name) => {
    if (!policy.witnesses.has(name) && !policy.groups.has(name)) throw new Unusable(name);
  };
  const fresh = (name) => {
    if (name === "none" || policy.witnesses.has(name) || policy.groups.has(name)) throw new Unusable(name);
  };
  const key = async (vkey, others, kinds) => {
    const made = await readKey(vkey);
    const twice = others.some((k) => (k.kind === MLDSA) === (made.kind === MLDSA) && same(k.raw, made.raw));
    if (!kinds.includes(made.kind) || twice) throw new Unusable(made.name);
    return made;
  };
  for (const line of source.split("\n")) {
    const words = line.replace(/^[ \t]+|[ \t]+$/g, "").split(/[ \t]+/);
    const [verb, name, ...rest] = words;
    if (verb === "" || verb.startsWith("#")) continue;
    if (verb === "log" && [2, 3].includes(words.length)) {
      policy.logs.push(await key(name, policy.logs, [ED25519, MLDSA]));
    } else if (verb === "witness" && [3, 4].includes(words.length)) {
      fresh(name);
      policy.witnesses.set(name, await key(rest[0], [...policy.witnesses.values()], [COSIGNATURE, MLDSA]));
    } else if (verb === "group" && words.length > 3) {
      const [count, ...listed] = rest;
      for (const member of listed) {
        known(member);
        if (members.has(member)) throw new Unusable(member);
        members.add(member);
      }
      fresh(name);
      const plain = /^[0-9]+$/.test(count) ? Number(count) : 0;
      const needed = { all: listed.length, any: 1 }[count] ?? plain;
      if (needed < 1 || needed > listed.length) throw new Unusable(line);
      policy.groups.set(name, { needed, listed });
    } else if (verb === "quorum" && words.length === 2 && policy.quorum === null) {
      if (name !== "none") known(name);
      policy.quorum = name;
    } else {
      throw new Unusable(line.slice(0, 60));
    }
  }
  if (policy.quorum === null) throw new Unusable("quorum");
  return policy;
}

function quorumMet(policy, signed, name = policy.quorum) {
  if (name === "none" || signed.has(name)) return true;
  const group = policy.groups.get(name);
  if (!group) return false;
  return group.listed.filter((member) => quorumMet(policy, signed, member)).length >= group.needed;
}

function bigEndian(value, width) {
  const bytes = new Uint8Array(width);
  new DataView(bytes.buffer).setBigUint64(width - 8, BigInt(value));
  return bytes;
}

function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

// What the key's signature is put under: the note itself, or a cosigned message of it.
function message(key, note, stamp) {
  if (key.kind === ED25519) return text.encode(note.signed);
  const when = new DataView(stamp.buffer, stamp.byteOffset).getBigUint64(0);
  if (key.kind === COSIGNATURE) return text.encode(`cosignature/v1\ntime ${when}\n${note.signed}`);
  const [name, origin] = [text.encode(key.name), text.encode(note.origin)];
  if (name.length > 255 || origin.length > 255) throw new Wrong("signature-wrong", key.name);
  return joined(
    text.encode("subtree/v1\n\0"), [name.length], name, stamp, [origin.length], origin,
    new Uint8Array(8), bigEndian(note.size, 8), note.root,
  );
}

// The time of a cosignature (0 for a log's own signature), null where this browser cannot check
// it. Throws Wrong when it does not hold.
async function checkedTime(key, note, bytes) {
  const wrong = new Wrong("signature-wrong", key.name);
  const stamp = key.kind === ED25519 ? new Uint8Array(8) : bytes.slice(0, 8);
  const signature = key.kind === ED25519 ? bytes : bytes.slice(8);
  if (stamp.length < 8 || stamp[0] > 127) throw wrong;
  const [form, name] = key.kind === MLDSA ? ["raw-public", "ML-DSA-44"] : ["raw", "Ed25519"];
  let imported;
  try {
    imported = await crypto.subtle.importKey(form, key.raw, { name }, false, ["verify"]);
  } catch (error) {
    if (error.name === "DataError") throw wrong;
    return null;
  }
  const good = await crypto.subtle.verify({ name }, imported, signature, message(key, note, stamp));
  if (!good) throw wrong;
  return Number(new DataView(stamp.buffer, stamp.byteOffset).getBigUint64(0));
}

async function checkContent(extra, note, found) {
  if (!Object.hasOwn(extra, "content")) return [];
  const raw = text.encode(extra.content);
  if (toHex(await sha256(fromHex(extra.salt), raw)) !== extra.commitment) {
    return [new Wrong("content-differs")];
  }
  found.content = readCanonical(raw, "content-malformed");
  const ours = note.origin.startsWith(`onsil/${found.content.city}/`);
  return ours ? [] : [new Wrong("city-differs", note.origin)];
}

async function checkSignatures(note, logs, policy, found) {
  const wrong = [];
  const times = new Map();
  const unchecked = new Set();
  for (const { name, bytes } of note.signatures) {
    const all = logs.filter((key) => key.name === note.origin).map((key) => ["", key]);
    if (policy) all.push(...policy.witnesses);
    const known = all.filter(([, key]) => key.name === name && same(key.id, bytes.slice(0, 4)));
    if (!known.length) found.other_signatures += 1;
    for (const [label, key] of known) {
      let when;
      try {
        when = await checkedTime(key, note, bytes.slice(4));
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        wrong.push(error);
        continue;
      }
      if (when === null) {
        found.unchecked.push(key.name);
        unchecked.add(label);
      } else if (label) {
        times.set(label, Math.max(when, times.get(label) ?? 0));
      } else if (!found.logs.includes(key.name)) {
        found.logs.push(key.name);
      }
    }
  }
  found.witnesses = [...times.keys()].sort().map((name) => ({
    name, key: policy.witnesses.get(name).name, time: times.get(name),
  }));
  if (!found.logs.length && !wrong.some((fault) => fault.detail === note.origin)) {
    wrong.push(new Wrong(unchecked.has("") ? "signature-unchecked" : "log-unknown", note.origin));
  }
  if (policy) {
    const met = quorumMet(policy, new Set(times.keys()));
    found.quorum = { met, signed: times.size, known: policy.witnesses.size };
    const hoped = quorumMet(policy, new Set([...times.keys(), ...unchecked]));
    const count = `${times.size}/${policy.witnesses.size}`;
    if (!met) wrong.push(new Wrong(hoped ? "quorum-unchecked" : "quorum-not-met", count));
  }
  return wrong;
}

async function checkAnchor(extra, leaf, index, found) {
  if (!Object.hasOwn(extra, "anchor")) return [];
  const { anchor } = extra;
  const malformed = [new Wrong("anchor-malformed")];
  const names = Object.keys(ANCHOR);
  if (anchor === null || typeof anchor !== "object" || Array.isArray(anchor)) return malformed;
  if (Object.keys(anchor).sort().join() !== [...names].sort().join()) return malformed;
  for (const name of names) {
    const form = ANCHOR[name];
    const value = anchor[name];
    const fits = form instanceof RegExp ? typeof value === "string" && form.test(value)
      : form === "number" ? Number.isSafeInteger(value) && value >= 0
      : Array.isArray(value) && value.every((step) => typeof step === "string" && HEX32.test(step));
    if (!fits) return malformed;
  }
  try {
    const { root } = await climb(leaf, index, anchor.size, anchor.proof.map(fromHex));
    if (toHex(root) !== anchor.root) throw new Wrong("anchor-does-not-cover");
  } catch {
    return [new Wrong("anchor-does-not-cover")];
  }
  const { proof, ...named } = anchor;
  found.anchor = named;
  return [];
}

// Everything that can be said about a receipt (its bytes); never throws for a bad one. `logs` are
// verifier keys, `policy` is what readPolicy gave, or null. The answer has the form that
// verify_receipt.py --json prints, and for drawing `steps` (the way up as far as it could be gone) and `asked` (for a quorum).
export async function verifyReceipt(bytes, logs, policy = null) {
  const found = {
    valid: false, findings: [], leaf: null, content: null, logs: [], witnesses: [], unchecked: [],
    other_signatures: 0, quorum: null, anchor: null, steps: [], reached: "",
    asked: Boolean(policy && policy.quorum !== "none"),
  };
  let receipt;
  try {
    receipt = parse(bytes);
  } catch (error) {
    found.findings.push({ code: error.code ?? "not-a-receipt", detail: error.detail ?? "" });
    return found;
  }
  const { extra, index, note, path } = receipt;
  const leaf = await sha256(Uint8Array.of(0), fromHex(extra.commitment));
  found.leaf = {
    origin: note.origin, index, size: note.size, root: toHex(note.root), commitment: extra.commitment,
  };
  const wrong = [];
  try {
    wrong.push(...(await checkContent(extra, note, found)));
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    wrong.push(error);
  }
  try {
    const { root, steps } = await climb(leaf, index, note.size, path);
    Object.assign(found, { steps, reached: toHex(root) });
    if (!same(root, note.root)) wrong.push(new Wrong("not-in-the-tree"));
  } catch {
    wrong.push(new Wrong("not-in-the-tree"));
  }
  const trusted = [...(await Promise.all(logs.map(readKey))), ...(policy?.logs ?? [])];
  wrong.push(...(await checkSignatures(note, trusted, policy, found)));
  wrong.push(...(await checkAnchor(extra, leaf, index, found)));
  found.findings = wrong.map(({ code, detail }) => ({ code, detail }));
  found.valid = !found.findings.length;
  return found;
}
