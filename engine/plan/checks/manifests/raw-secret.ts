import { type FileChange, type ObjectReader, quotePath } from '../../../model/index.ts';
import { rawKeys, revealed } from '../../documents/raw-values.ts';
import { findVendorSecrets, type SecretText } from '../../../snapshot/secrets/vendor-rules.ts';
import type { CheckInput, RawFinding } from '../../check-input.ts';
import { type Fields, textAt } from '../../documents/documents.ts';
import { identityOf, manifestOf } from '../../documents/manifests.ts';

/** How many places of one file are named. */
const MOST = 5;

/**
 * RAW_SECRET: a secret as plain text would come back, where there is a reference now or nothing. What is there now as plain text is nothing
 * that the rollback does. Values are never part of a message.
 */
export async function checkRawSecrets(input: CheckInput): Promise<RawFinding[]> {
  const findings: RawFinding[] = [];
  for (const file of [...input.plan.files, ...input.outputs]) {
    const places = [...new Set(await placesIn(input, file))];
    if (places.length === 0) continue;
    const more = places.length > MOST ? ` and ${places.length - MOST} more` : '';
    const { path } = file;
    const message = `${quotePath(path)} would hold a secret as plain text again: ${places.slice(0, MOST).join(', ')}${more}.`;
    findings.push({ code: 'RAW_SECRET', message, path });
  }
  return findings;
}

async function placesIn(input: CheckInput, file: FileChange): Promise<string[]> {
  const { documents, snapshot } = input;
  const { path, before, after } = file;
  const text = await documents.text(after);
  if (after === null || text === null) return [];
  const old = (await documents.text(before)) ?? '';
  const vendors = (await scan(snapshot.reader, after.id, text)).filter(({ value }) => !old.includes(value));
  const places = vendors.map(({ what, line }) => `${what} in line ${line}`);
  if (!mayReveal(old, text)) return places;
  const then = (await documents.read(path, after)) ?? [];
  const now = (await documents.read(path, before)) ?? [];
  return [
    ...places,
    ...then.flatMap((value, index) => [...secretData(path, value, now), ...unreferenced(value, now, index)]),
  ];
}

/** Whether lines came by which a value can be a secret again: most changes, such as those of a tag, need no parsing. */
function mayReveal(old: string, text: string): boolean {
  const known = new Set(old.split('\n'));
  const come = text.split('\n').filter((line) => !known.has(line));
  return come.length > 0 && (IS_SECRET.test(text) || come.some((line) => MAY_HOLD.test(line)));
}

const IS_SECRET = /kind["']?\s*:\s*["']?Secret\b/;
/** In names that count as secret, and where a variable of a container has its value. */
const MAY_HOLD =
  /value|secret|pass|pwd|token|key|auth|cred|cert|private|salt|dsn|connection|pin|hmac|webhook|pepper|sign|seed|mnemonic|cookie|session|jwt|otp|api|bearer|psk|conn|netrc|kubeconfig|docker|fernet|community|licen/i;

function secretData(path: string, value: Fields, now: readonly Fields[]): string[] {
  const manifest = manifestOf(path, value);
  if (manifest?.kind !== 'Secret') return [];
  const other = now.find((each) => {
    const known = manifestOf(path, each);
    return known !== null && identityOf(known) === identityOf(manifest);
  });
  const there = new Set(other === undefined ? [] : rawKeys(other));
  const keys = rawKeys(value).filter((key) => !there.has(key));
  return keys.map((key) => `${quotePath(key)} of Secret ${quotePath(manifest.name)}`);
}

/** By name where documents have one, else by their place. */
function unreferenced(value: Fields, now: readonly Fields[], index: number): string[] {
  if (value['kind'] === 'Secret') return [];
  const name = textAt(value, 'metadata', 'name');
  const isLike = (each: Fields) =>
    textAt(each, 'metadata', 'name') === name && textAt(each, 'kind') === textAt(value, 'kind');
  const other = name === undefined ? now[index] : now.find(isLike);
  return revealed(other, value).map((keys) => quotePath(keys.join('/')));
}

const scans = new WeakMap<ObjectReader, Map<string, Promise<readonly SecretText[]>>>();
const MAX_KNOWN = 10_000;

/** Objects never change: each is scanned once. */
function scan(reader: ObjectReader, id: string, text: string): Promise<readonly SecretText[]> {
  const known = scans.get(reader) ?? new Map<string, Promise<readonly SecretText[]>>();
  scans.set(reader, known);
  const found = known.get(id) ?? findVendorSecrets(text);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(id, found);
  return found;
}
