// Verifies receipts by the browser's own module: {logs, policy, receipts: [base64]} on standard
// input; a list of answers on standard output. Run by test_receipts_in_browser.py.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
// The page's modules are plain .js files beside one another, without a package that says so.
register("data:text/javascript," + encodeURIComponent(`
  export async function load(url, context, next) {
    return next(url, url.endsWith(".js") ? { ...context, format: "module" } : context);
  }`));
const { readPolicy, verifyReceipt } = await import(process.argv[2]);
const { logs, policy, receipts } = JSON.parse(readFileSync(0, "utf-8"));
const trust = policy ? await readPolicy(policy) : null;
const answers = [];
for (const receipt of receipts) {
  answers.push(await verifyReceipt(Uint8Array.from(Buffer.from(receipt, "base64")), logs, trust));
}
process.stdout.write(JSON.stringify(answers));
