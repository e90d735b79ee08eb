// Checks proofs of the transparency log in the reader's own browser, trusting nothing the server
// says about them: SHA-256 and Ed25519 come from WebCrypto, the rest is written out below.
//
//   commitment = SHA-256(salt || canonical entry)
//   leaf       = SHA-256(0x00 || commitment)                       RFC 6962 §2.1
//   node       = SHA-256(0x01 || left || right)
//   the audit path from leaf to root                               RFC 9162 §2.1.3.2
//   checkpoint = origin, size, root, signed note                   C2SP tlog-checkpoint, signed-note
//
// Receipts, with witnesses and policies, are receipt-check.js, which stands on this.

const text = new TextEncoder();

export class ProofError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export function cryptoAvailable() {
  return Boolean(globalThis.crypto && globalThis.crypto.subtle);
}

export async function sha256(...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}

// Standard base64 in its one spelling; anything else is refused.
export function fromBase64(value) {
  let raw = "";
  try {
    raw = atob(value);
  } catch {
    throw new ProofError("format", `not base64: ${value.slice(0, 24)}`);
  }
  if (btoa(raw) !== value) throw new ProofError("format", `not base64: ${value.slice(0, 24)}`);
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

export function fromHex(value) {
  if (!/^([0-9a-f]{2})*$/.test(value)) throw new ProofError("format", "not hexadecimal");
  return Uint8Array.from(value.match(/../g) || [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export function same(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

// A key's name: not empty, no plus, no Unicode space.
export function isName(name) {
  return name !== "" && !/[+\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(name);
}

// A whole number in its one spelling; exact, since a log never reaches 2^53 leaves.
export function parseNumber(value, what) {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(value ?? "")) throw new ProofError("format", `${what} is no number`);
  return Number(value);
}

// A checkpoint's note: origin, size, root, the text that is signed, and the lines that sign it.
export function parseCheckpoint(source) {
  const cut = source.lastIndexOf("\n\n");
  // eslint-disable-next-line no-control-regex
  if (cut < 0 || !source.endsWith("\n") || /[\0-\x09\x0b-\x1f]/.test(source)) {
    throw new ProofError("format", "the checkpoint is no signed note");
  }
  const signed = source.slice(0, cut + 1);
  const lines = source.slice(0, cut).split("\n");
  if (lines.length < 3 || lines.some((line) => line === "")) {
    throw new ProofError("format", "the checkpoint lacks origin, size or root");
  }
  const root = fromBase64(lines[2]);
  if (root.length !== 32) throw new ProofError("format", "the root is not 32 bytes long");
  const signatures = source.slice(cut + 2, -1).split("\n").map((line) => {
    const parts = line.split(" ");
    if (parts.length !== 3 || parts[0] !== "—" || !isName(parts[1])) {
      throw new ProofError("format", "a signature line is malformed");
    }
    const bytes = fromBase64(parts[2]);
    if (bytes.length < 5) throw new ProofError("format", "a signature is too short");
    return { name: parts[1], bytes };
  });
  if (signatures.length > 64) throw new ProofError("format", "too many signatures");
  return { origin: lines[0], size: parseNumber(lines[1], "the size"), root, signed, signatures };
}

// RFC 9162 §2.1.3.2: the way from a leaf to the root that its audit path leads to, a step a level:
// on which side the sibling stands, its hash, and the hash of both.
export async function climb(leaf, index, size, path) {
  if (index >= size) throw new ProofError("inclusion", "the index lies outside the tree");
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  const steps = [];
  for (const sibling of path) {
    if (sn === 0) throw new ProofError("inclusion", "the path is too long");
    const left = fn % 2 === 1 || fn === sn;
    hash = await (left ? sha256(Uint8Array.of(1), sibling, hash) : sha256(Uint8Array.of(1), hash, sibling));
    steps.push({ side: left ? "left" : "right", sibling, hash });
    while (left && fn % 2 === 0 && fn !== 0) {
      fn = Math.floor(fn / 2);
      sn = Math.floor(sn / 2);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw new ProofError("inclusion", "the path is too short");
  return { root: hash, steps };
}

// The four bytes by which a note names an Ed25519 key: SHA-256(name || LF || 0x01 || key).
async function keyId(name, raw) {
  return (await sha256(text.encode(`${name}\n`), Uint8Array.of(1), raw)).slice(0, 4);
}

// The 32 bytes of a C2SP verifier key: name+hash+base64(0x01 || key).
export async function parseKey(vkey) {
  const parts = /^(\S+?)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  if (!parts) throw new ProofError("key", "the public key is not written as name+hash+key");
  const body = fromBase64(parts[3]);
  if (body[0] !== 1 || body.length !== 33) throw new ProofError("key", "not an Ed25519 key");
  const raw = body.slice(1);
  if (toHex(await keyId(parts[1], raw)) !== parts[2]) {
    throw new ProofError("key", "the public key contradicts its hash");
  }
  return raw;
}

// "valid", "invalid", or "unsupported" where this browser has no Ed25519.
export async function checkSignature(checkpoint, raw) {
  const id = await keyId(checkpoint.origin, raw);
  const signature = checkpoint.signatures.find(
    (s) => s.name === checkpoint.origin && same(s.bytes.slice(0, 4), id),
  );
  if (!signature) return "invalid";
  let key;
  try {
    key = await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return "unsupported";
  }
  const good = await crypto.subtle.verify(
    { name: "Ed25519" }, key, signature.bytes.slice(4), text.encode(checkpoint.signed),
  );
  return good ? "valid" : "invalid";
}

// RFC 8785 for the values that entries hold: texts, whole numbers, truth values, null, lists and
// tables. Keys are ordered by UTF-16 code units, which is how JavaScript compares strings.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort();
    return `{${keys.map((k) => `${canonical(k)}:${canonical(value[k])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new ProofError("format", "an entry holds a number that is not whole");
  }
  if (typeof value === "string" && /\p{Surrogate}/u.test(value)) {
    throw new ProofError("format", "an entry holds half a character");
  }
  return JSON.stringify(value);
}

// Checks one bundle: { kind, city, id, entry, salt, commitment, index, proof, checkpoint,
// public_key }. `trusted` is the 32-byte key the reader trusts; without it the bundle's own is
// taken, which shows only that the bundle agrees with itself. Never throws for a bad bundle.
export async function checkBundle(bundle, trusted = null) {
  const found = {
    good: false, entry: "absent", inclusion: false, signature: "unchecked", ownKey: !trusted,
    index: null, size: null, origin: "", root: "", kind: bundle.kind, id: bundle.id,
  };
  try {
    const checkpoint = parseCheckpoint(bundle.checkpoint);
    Object.assign(found, {
      index: bundle.index, size: checkpoint.size, origin: checkpoint.origin,
      root: toHex(checkpoint.root),
    });
    if (!checkpoint.origin.startsWith(`onsil/${bundle.city}/`)) {
      throw new ProofError("origin", `the checkpoint is of ${checkpoint.origin}`);
    }
    const commitment = fromHex(bundle.commitment);
    if (bundle.entry !== undefined && bundle.entry !== null) {
      const content = canonical({
        ...bundle.entry, kind: bundle.kind, city: bundle.city, id: bundle.id,
      });
      const made = await sha256(fromHex(bundle.salt), text.encode(content));
      found.entry = same(made, commitment) ? "fits" : "differs";
    }
    const leaf = await sha256(Uint8Array.of(0), commitment);
    const path = bundle.proof.map(fromHex);
    const { root } = await climb(leaf, bundle.index, checkpoint.size, path);
    found.inclusion = same(root, checkpoint.root);
    const own = bundle.public_key ? fromHex(bundle.public_key) : null;
    if (trusted && own && !same(trusted, own)) {
      throw new ProofError("key", "signed with another key than the city's");
    }
    found.signature = await checkSignature(checkpoint, trusted || own);
    found.good =
      found.inclusion && found.entry !== "differs" &&
      (found.signature === "valid" || found.signature === "unsupported");
  } catch (error) {
    found.error = error instanceof Error ? error.message : String(error);
  }
  return found;
}

// All bundles in what a reader pasted or dropped: one proof bundle, or a whole trace.
export function bundlesIn(source) {
  const content = JSON.parse(source);
  if (Array.isArray(content?.proofs)) return content.proofs;
  if (content?.checkpoint && content.proof) return [content];
  throw new ProofError("format", "not a bundle of this log");
}
