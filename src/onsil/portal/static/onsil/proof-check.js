// Checks proofs of the transparency log in the reader's own browser, trusting nothing the server
// says about them: SHA-256 and Ed25519 come from WebCrypto, the rest is written out below.
//
//   commitment = SHA-256(salt || canonical entry)
//   leaf       = SHA-256(0x00 || commitment)                       RFC 6962 §2.1
//   node       = SHA-256(0x01 || left || right)
//   the audit path from leaf to root                               RFC 9162 §2.1.3.2
//   checkpoint = origin, size, root, signed note                   C2SP tlog-checkpoint, signed-note
//   receipt    = index, path, checkpoint in one text               C2SP tlog-proof

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

async function sha256(...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}

function fromBase64(value) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4) {
    throw new ProofError("format", `not base64: ${value.slice(0, 24)}`);
  }
  return Uint8Array.from(atob(value), (c) => c.charCodeAt(0));
}

export function fromHex(value) {
  if (!/^([0-9a-f]{2})*$/.test(value)) throw new ProofError("format", "not hexadecimal");
  return Uint8Array.from(value.match(/../g) || [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

function same(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

// The receipt's parts; numbers stay exact below 2^53, which a log of this kind never reaches.
export function parseReceipt(source) {
  const clean = source.replace(/\r\n/g, "\n");
  const cut = clean.indexOf("\n\n");
  if (cut < 0) throw new ProofError("format", "a receipt has a blank line before its checkpoint");
  const lines = clean.slice(0, cut).split("\n");
  if (lines.shift() !== "c2sp.org/tlog-proof@v1") {
    throw new ProofError("format", "a receipt begins with c2sp.org/tlog-proof@v1");
  }
  let extra = null;
  if (lines[0] && lines[0].startsWith("extra ")) extra = fromBase64(lines.shift().slice(6));
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() || "");
  if (!index) throw new ProofError("format", "the receipt's index line is missing");
  const path = lines.map(fromBase64);
  if (path.some((hash) => hash.length !== 32)) {
    throw new ProofError("format", "a hash of the receipt is not 32 bytes long");
  }
  return { extra, index: Number(index[1]), path, checkpoint: clean.slice(cut + 2) };
}

export function parseCheckpoint(source) {
  const cut = source.indexOf("\n\n");
  if (cut < 0) throw new ProofError("format", "the checkpoint carries no signature");
  const signed = source.slice(0, cut + 1);
  const [origin, size, root] = signed.split("\n");
  if (!origin || !/^(0|[1-9][0-9]{0,15})$/.test(size || "") || !root) {
    throw new ProofError("format", "the checkpoint lacks origin, size or root");
  }
  const signatures = [];
  for (const line of source.slice(cut + 2).split("\n")) {
    const parts = /^— (\S+) (\S+)$/.exec(line);
    if (parts) signatures.push({ name: parts[1], bytes: fromBase64(parts[2]) });
  }
  return { origin, size: Number(size), root: fromBase64(root), signed, signatures };
}

// RFC 9162 §2.1.3.2: the root that a leaf and its audit path lead to.
export async function rootFromPath(leaf, index, size, path) {
  if (index >= size) throw new ProofError("inclusion", "the index lies outside the tree");
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (sn === 0) throw new ProofError("inclusion", "the path is too long");
    if (fn % 2 === 1 || fn === sn) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw new ProofError("inclusion", "the path is too short");
  return hash;
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
    return `{${keys.map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new ProofError("format", "an entry holds a number that is not whole");
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
    const root = await rootFromPath(leaf, bundle.index, checkpoint.size, path);
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

// A receipt (tlog-proof) as a bundle: its extra data say what the leaf commits to.
export function bundleOfReceipt(source) {
  const receipt = parseReceipt(source);
  if (!receipt.extra) throw new ProofError("format", "the receipt does not say what it is for");
  const extra = JSON.parse(new TextDecoder().decode(receipt.extra));
  return {
    ...extra, index: receipt.index, proof: receipt.path.map(toHex), checkpoint: receipt.checkpoint,
  };
}

// All bundles in what a reader pasted or dropped: a receipt, one proof bundle, or a whole trace.
export function bundlesIn(source) {
  const clean = source.trim();
  if (!clean.startsWith("{")) return [bundleOfReceipt(`${clean}\n`)];
  const content = JSON.parse(clean);
  if (Array.isArray(content.proofs)) return content.proofs;
  if (content.checkpoint && content.proof) return [content];
  throw new ProofError("format", "neither a receipt nor a bundle of this log");
}
