/** Whether what was deployed holds a raw secret: whoever records it would say that this is how it should be. */
import { isMap, type Document } from 'yaml';
import { BacktrailError, quotePath } from '../../model/index.ts';
import { keptIn, type ScopeContent, withoutParts } from '../scope-content.ts';
import type { Snapshot } from '../snapshot.ts';
import { isFile } from '../view.ts';
import { findVendorSecrets } from './vendor-rules.ts';
import { scalarText } from '../../yaml/core/nodes.ts';
import { tryParse } from '../../yaml/core/try-parse.ts';

/** Where it is and what kind it is; never the secret itself. */
export interface RawSecret {
  readonly path: string;
  readonly what: string;
}

/** By what was looked at: objects never change. */
export type SecretScans = Map<string, Promise<string | null>>;

const SCANNED = 20_000;
/** Characters of a file that is looked at: a larger one is no configuration that people write. */
const LONGEST = 1024 * 1024;

/** The first one in the content of a scope, in the order of its paths; what `keep` holds is not looked at. */
export async function rawSecretIn(
  snapshot: Snapshot,
  { files, parts }: ScopeContent,
  scans: SecretScans,
): Promise<RawSecret | null> {
  for (const [path, file] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (!isFile(file.mode)) continue;
    const kept = await keptIn(snapshot, path, [file]);
    if (kept.whole !== null) continue;
    const selectors = kept.parts.map(({ selector }) => JSON.stringify(selector));
    const key = JSON.stringify([file.id, path, selectors]);
    const what = await remember(scans, key, async () => {
      const text = await snapshot.text(file);
      return text === null ? null : secretIn(withoutParts(path, text, kept.parts));
    });
    if (what !== null) return { path, what };
  }
  for (const { path, restorable } of parts.values()) {
    const what = restorable === null ? null : await secretIn(restorable);
    if (what !== null) return { path, what };
  }
  return null;
}

/** @throws RAW_SECRET */
export async function requireNoSecret(what: string, text: string): Promise<void> {
  const kind = await vendorSecretIn(text);
  if (kind !== null) throw new BacktrailError('RAW_SECRET', `${what} holds a raw secret (${kind}).`);
}

export function rawSecretError({ path, what }: RawSecret): BacktrailError {
  return new BacktrailError('RAW_SECRET', `${quotePath(path)} holds a raw secret (${what}).`, {
    details: { path },
  });
}

async function secretIn(text: string): Promise<string | null> {
  if (text.length > LONGEST) return null;
  if (/secret/i.test(text) && (tryParse(text) ?? []).some(isRawSecret)) return 'data of a Secret';
  return vendorSecretIn(text);
}

/** A manifest of the kind Secret with a value that is neither empty, nor encrypted, nor to be filled in. */
function isRawSecret({ contents }: Document.Parsed): boolean {
  if (!isMap(contents)) return false;
  const kind: unknown = contents.get('kind');
  const manifests = kind === 'SecretList' || kind === 'List' ? contents.get('items') : contents;
  const all = isMap(manifests) ? [manifests] : itemsOf(manifests);
  return all.some((manifest) => {
    if (!isMap(manifest) || (kind !== 'SecretList' && manifest.get('kind') !== 'Secret')) return false;
    return ['data', 'stringData'].some((key) => {
      const data: unknown = manifest.get(key);
      return isMap(data) && data.items.some(({ value }) => isRawValue((scalarText(value) ?? '').trim()));
    });
  });
}

function itemsOf(node: unknown): readonly unknown[] {
  return typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items)
    ? node.items
    : [];
}

const isRawValue = (value: string) =>
  value !== '' && value !== 'null' && !/^ENC\[|^<[^>]*>$|^ref\+|\$\{|\{\{|^\$\(/.test(value);

/** What a secret is by secretlint's recommended rules, the first one. */
async function vendorSecretIn(text: string): Promise<string | null> {
  const [found] = await findVendorSecrets(text);
  return found?.what ?? null;
}

function remember(
  scans: SecretScans,
  key: string,
  look: () => Promise<string | null>,
): Promise<string | null> {
  const known = scans.get(key);
  if (known !== undefined) return known;
  if (scans.size >= SCANNED) scans.clear();
  const looking = look();
  scans.set(key, looking);
  looking.catch(() => scans.delete(key));
  return looking;
}
