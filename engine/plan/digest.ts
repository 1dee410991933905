/** The digest of a plan, which approvals and confirmations are bound to. */
import { encodePath, type Hasher, type ObjectId, type Scope, type Write } from '../model/index.ts';

/** One selected item that changes. `bytes`: source of the selected part, or object id of a whole path. */
export interface DigestItem {
  readonly path: string;
  /** Canonical selector, '' for a whole path. */
  readonly selector: string;
  readonly before: DigestSide | null;
  readonly after: DigestSide | null;
}

export interface DigestSide {
  readonly mode: string;
  readonly bytes: string;
}

const FORMAT = 'backtrail-plan-1';

/**
 * sha256 over a list of byte strings, each preceded by its length (8 bytes, big-endian), an absent one by eight 0xff: format, mode (or
 * `field by whole files`), tenant, environment, service, number of fields, fields, target, number of items; then for each item, sorted
 * by path and selector: path, selector, and mode and bytes before and after. Nothing outside the selections is included.
 */
export function digestOf(input: {
  hasher: Hasher;
  scope: Scope;
  target: ObjectId;
  items: readonly DigestItem[];
}): string {
  const { hasher, scope, target } = input;
  const fields = scope.fields ?? [];
  const items = [...input.items].sort((a, b) => compare(a.path, b.path) || compare(a.selector, b.selector));
  const parts: (string | null)[] = [
    FORMAT,
    scope.wholeFile ? `${scope.mode} by whole files` : scope.mode,
    scope.tenant ?? null,
    scope.environment,
    scope.service ?? null,
  ];
  parts.push(String(fields.length), ...fields, target, String(items.length));
  for (const { path, selector, before, after } of items) {
    parts.push(
      path,
      selector,
      before?.mode ?? null,
      before?.bytes ?? null,
      after?.mode ?? null,
      after?.bytes ?? null,
    );
  }
  return `sha256:${hasher.sha256(encode(parts))}`;
}

const RENDERED = 'backtrail-rendered-1';

/** The digest of the manifests of a plan, encoded likewise: format, number of outputs, then path, mode and object id of each, sorted by path. null if there are none. */
export function digestOfOutputs(hasher: Hasher, outputs: readonly Write[]): string | null {
  if (outputs.length === 0) return null;
  const sorted = [...outputs].sort((a, b) => compare(a.path, b.path));
  const parts = sorted.flatMap(({ path, after }) => [path, after?.mode ?? null, after?.id ?? null]);
  return `sha256:${hasher.sha256(encode([RENDERED, String(sorted.length), ...parts]))}`;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function encode(parts: readonly (string | null)[]): Uint8Array {
  const encoded = parts.map((part) => (part === null ? null : encodePath(part)));
  const bytes = new Uint8Array(encoded.reduce((sum, part) => sum + 8 + (part?.length ?? 0), 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const part of encoded) {
    view.setBigUint64(offset, part === null ? 0xffff_ffff_ffff_ffffn : BigInt(part.length));
    offset += 8;
    if (part !== null) {
      bytes.set(part, offset);
      offset += part.length;
    }
  }
  return bytes;
}
