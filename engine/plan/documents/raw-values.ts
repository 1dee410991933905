/** Secrets as plain text in documents: data of Secrets, and values of secret names. Values never leave this file but to be compared. */
import { isSecretKey } from '../../yaml/mask/mask.ts';
import { isHarmlessValue } from '../../yaml/mask/secrets.ts';
import { type Fields, isFields, valueAt } from './documents.ts';

/** How deep documents are looked into. */
const MAX_DEPTH = 60;

/** What other systems put in the place of a value: SOPS, Vault, vals, 1Password, templates and variables. */
const REFERENCE =
  /\$\{|\{\{|\$\(|<path:|^\s*(?:ref\+|vault:|op:\/\/|secrets?:\/\/|sm:\/\/|gcpsm:|awssm:|akv:|arn:aws[\w-]*:(?:secretsmanager|ssm):|projects\/[^/]+\/secrets\/|ENC\[|AgA[\w+/=]{40})/;

const isRaw = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && !isHarmlessValue(value) && !REFERENCE.test(value);

/** The keys of a Secret whose values are plain text (or base 64 of it); none for one that SOPS has encrypted. */
export function rawKeys(secret: Fields): string[] {
  if (Object.hasOwn(secret, 'sops')) return [];
  return ['data', 'stringData'].flatMap((group) => {
    const values = valueAt(secret, group);
    return isFields(values) ? Object.keys(values).filter((key) => isRaw(values[key])) : [];
  });
}

/** Where a value of a secret name is plain text in `target`, and a reference in `now`: the keys that lead to each. */
export function revealed(now: unknown, target: unknown): string[][] {
  const found: string[][] = [];
  visit({ now, old: target, path: [], found });
  return found;
}

interface Visit {
  readonly now: unknown;
  readonly old: unknown;
  readonly path: readonly string[];
  readonly found: string[][];
}

function visit({ now, old, path, found }: Visit): void {
  if (path.length > MAX_DEPTH) return;
  if (Array.isArray(old)) {
    for (const [index, item] of old.entries()) {
      const name = nameIn(item);
      const other = Array.isArray(now) ? itemLike(now, { index, name }) : undefined;
      const at = [...path, name ?? String(index)];
      if (name !== null && isSecretKey(name) && isRaw(valueAt(item, 'value')) && isReferring(other))
        found.push(at);
      visit({ now: other, old: item, path: at, found });
    }
    return;
  }
  if (!isFields(old)) return;
  for (const [key, value] of Object.entries(old)) {
    const other = isFields(now) && Object.hasOwn(now, key) ? now[key] : undefined;
    const at = [...path, key];
    if (isSecretKey(key) && isRaw(value)) {
      if (other === undefined ? hasReferenceInstead(now, old) : isReference(other)) found.push(at);
    } else visit({ now: other, old: value, path: at, found });
  }
}

const nameIn = (item: unknown): string | null => {
  const name = valueAt(item, 'name');
  return typeof name === 'string' ? name : null;
};

function itemLike(
  items: readonly unknown[],
  { index, name }: { index: number; name: string | null },
): unknown {
  return name === null ? items[index] : items.find((item) => nameIn(item) === name);
}

/** A variable of a container that takes its value from somewhere else. */
const isReferring = (item: unknown) =>
  isFields(item) && (item['valueFrom'] !== undefined || isReference(item['value']));

function isReference(value: unknown): boolean {
  if (typeof value === 'string') return REFERENCE.test(value);
  return isFields(value) && Object.keys(value).some((key) => REFERRING_KEY.test(key));
}

const REFERRING_KEY = /ref$|from$|secret|vault|^existing/i;

/** `existingSecret: db` in the place of `password: …`. */
function hasReferenceInstead(now: unknown, old: Fields): boolean {
  if (!isFields(now)) return false;
  return Object.keys(now).some((key) => !Object.hasOwn(old, key) && REFERRING_KEY.test(key));
}
