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

// A C2SP verifier key: name+hash+base64(algorithm byte || key); 0x01 is Ed25519.
export async function parseKey(vkey) {
  const parts = /^(\S+?)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  if (!parts) throw new ProofError("key", "the public key is not written as name+hash+key");
  const body = fromBase64(parts[3]);
  if (body[0] !== 1 || body.length !== 33) throw new ProofError("key", "not an Ed25519 key");
  const id = (await sha256(text.encode(`${parts[1]}\n`), body)).slice(0, 4);
  if (toHex(id) !== parts[2]) throw new ProofError("key", "the public key contradicts its hash");
  return { name: parts[1], id, raw: body.slice(1) };
}

// "valid", "invalid", or "unsupported" where this browser has no Ed25519.
export async function checkSignature(checkpoint, vkey) {
  const key = await parseKey(vkey);
  const signature = checkpoint.signatures.find(
    (s) => s.name === key.name && same(s.bytes.slice(0, 4), key.id),
  );
  if (!signature) return "invalid";
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, [
      "verify",
    ]);
  } catch {
    return "unsupported";
  }
  const good = await crypto.subtle.verify(
    { name: "Ed25519" }, imported, signature.bytes.slice(4), text.encode(checkpoint.signed),
  );
  return good ? "valid" : "invalid";
}

// Checks one sealed step: { receipt, salt (hex), entry (canonical JSON text) } under a public key.
// Returns what was found: entry, inclusion, signature; never throws for a bad proof.
export async function checkBundle(bundle, vkey) {
  const found = { entry: false, inclusion: false, signature: "unchecked", index: null, size: null };
  try {
    const receipt = parseReceipt(bundle.receipt);
    const checkpoint = parseCheckpoint(receipt.checkpoint);
    found.index = receipt.index;
    found.size = checkpoint.size;
    found.origin = checkpoint.origin;
    found.root = toHex(checkpoint.root);
    const commitment = await sha256(fromHex(bundle.salt), text.encode(bundle.entry));
    found.commitment = toHex(commitment);
    found.entry = !bundle.commitment || bundle.commitment === found.commitment;
    const leaf = await sha256(Uint8Array.of(0), commitment);
    const root = await rootFromPath(leaf, receipt.index, checkpoint.size, receipt.path);
    found.inclusion = same(root, checkpoint.root);
    found.signature = await checkSignature(checkpoint, vkey);
  } catch (error) {
    found.error = error instanceof ProofError ? error.message : String(error);
    found.code = error instanceof ProofError ? error.code : "unknown";
  }
  found.good =
    found.entry && found.inclusion && !found.error &&
    (found.signature === "valid" || found.signature === "unsupported");
  return found;
}
