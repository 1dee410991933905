/** `keep`: paths and parts excluded from every rollback. Path patterns, `path#selector`, `kind:Secret`, `format:sops`. */
import picomatch from 'picomatch';
import { ENGINE, type Rules } from '../model/index.ts';
import { isFlat } from '../yaml/formats/format.ts';
import {
  claimsKind,
  type DocumentDescription,
  describeDocuments,
  hasPlainOutline,
  type ObjectName,
} from '../yaml/core/kinds.ts';
import { formatSelector, parseSelector, type Selector } from '../yaml/core/selector.ts';

export interface KeptPart {
  readonly selector: Selector;
  readonly by: string;
}

export interface Keep {
  /** The pattern that keeps a path regardless of its content; null if none does. */
  path(path: string): string | null;
  /** Whether some rule depends on the content of files. */
  readonly looksInside: boolean;
  /** The rules that depend on the content of files, as one text. */
  readonly contentRules: string;
  /** Certainly nothing is kept of a file for what this text says, whatever its name; found without parsing it. */
  readonly isPlain: (text: string) => boolean;
  /** The rule that keeps a file with this content as a whole; null if none does. */
  content(path: string, text: string): string | null;
  /** The kept parts of a file; in a file of several documents, a kept document is a part. */
  parts(path: string, texts: readonly string[]): readonly KeptPart[];
  /** The parts of one text that are kept for what they say, without those that the path alone keeps. */
  documents(path: string, text: string): readonly KeptPart[];
}

export function compileKeep(patterns: readonly string[], rules: Rules = ENGINE): Keep {
  const kinds = patterns
    .filter((text) => text.startsWith('kind:'))
    .map((by) => ({ by, kind: by.slice('kind:'.length) }));
  const sops = patterns.includes('format:sops');
  const paths = patterns.filter((text) => !/^(kind|format):/.test(text));
  const whole = paths
    .filter((text) => !text.includes('#'))
    .map((by) => ({ by, matches: picomatch(by, { dot: true }) }));
  const parts = paths
    .filter((text) => text.includes('#'))
    .map((by) => {
      const [glob = '', selector = ''] = by.split(/#(.*)/su);
      return { by, matches: picomatch(glob, { dot: true }), selector: parseSelector(selector) };
    })
    .filter(({ selector }) => rules >= 3 || !selector.some((step) => 'enter' in step));
  const ruleOfKind = (kind: string | undefined) => kinds.find((rule) => rule.kind === kind)?.by ?? null;
  /** Items of a List are treated like documents. */
  const itemsOf = ({ items }: DocumentDescription) => (rules === 1 ? undefined : items);
  const ruleOf = (document: DocumentDescription) => {
    const own = document.sops && sops ? 'format:sops' : ruleOfKind(document.kind);
    const inside = (itemsOf(document) ?? []).map(({ kind }) => ruleOfKind(kind));
    return own ?? (inside.every((rule) => rule !== null) ? (inside[0] ?? null) : null);
  };
  /** Any other list with an object of a kept kind is kept as a whole. */
  const ruleOfList = (document: DocumentDescription) =>
    itemsOf(document) === undefined
      ? (kinds.find(({ kind }) => document.inside?.includes(kind))?.by ?? null)
      : null;
  const ruleOfAny = (document: DocumentDescription) =>
    (itemsOf(document) ?? []).map(({ kind }) => ruleOfKind(kind)).find((rule) => rule !== null) ?? null;
  // Only a backslash can write a word without its letters; everything else need not be parsed.
  // A scalar that is a kind, or a list of it, is a word of its own wherever it is written.
  const words = kinds.map(({ kind }) => ({ kind, word: wordOf(kind) }));
  const mayHold = (text: string) =>
    text.includes('\\') ||
    (sops && text.includes('sops')) ||
    words.some(({ kind, word }) => text.includes(kind) && word.test(text));
  const claimed = (text: string) => kinds.find(({ kind }) => claimsKind(text, kind))?.by ?? null;
  const names = kinds.map(({ kind }) => kind);
  const isPlain = (text: string) =>
    !mayHold(text) || (!isEncrypted(text) && claimed(text) === null && hasPlainOutline(text, names));
  const describe = (text: string) => (isPlain(text) ? [] : describeDocuments(text));
  const documents = (path: string, text: string): readonly KeptPart[] => {
    if (!mayBeYaml(path) || (rules < 3 && isFlat(path))) return [];
    return unique(
      describe(text).flatMap((document) => {
        const own: Selector = [{ match: identity(document) }];
        const by = document.kind === undefined ? null : ruleOf(document);
        if (by !== null) return [{ selector: own, by }];
        return (itemsOf(document) ?? []).flatMap((item) => {
          const rule = ruleOfKind(item.kind);
          return rule === null
            ? []
            : [{ selector: [...own, { key: 'items' }, { match: identity(item) }], by: rule }];
        });
      }),
    );
  };
  return {
    looksInside: sops || kinds.length > 0,
    contentRules: JSON.stringify([sops, names]),
    isPlain,
    path: (path) => whole.find(({ matches }) => matches(path))?.by ?? null,
    content: (path, text) => {
      if (sops && isEncrypted(text)) return 'format:sops';
      const isYaml = mayBeYaml(path);
      // Files of any name may contain a manifest; parse only those that mention a kind.
      if (!isYaml && claimed(text) === null) return null;
      const described = describe(text);
      const documents = rules === 1 || isYaml || namesFormat(path) ? described : described.filter(isManifest);
      // A template cannot be parsed: use what it declares. A script or a README that mentions a Secret does not count.
      if (documents.length === 0) return rules === 1 || namesFormat(path) ? claimed(text) : null;
      const kept = documents.map(ruleOf);
      const listed = documents.map(ruleOfList).find((rule) => rule !== null);
      if (listed !== undefined) return listed;
      if (!isYaml)
        return (
          kept.find((rule) => rule !== null) ?? documents.map(ruleOfAny).find((rule) => rule !== null) ?? null
        );
      return kept.every((rule) => rule !== null) ? (kept[0] ?? null) : null;
    },
    parts: (path, texts) => {
      if (rules < 3 && isFlat(path)) return [];
      const named = parts
        .filter(({ matches }) => matches(path))
        .map(({ by, selector }) => ({ selector, by }));
      return unique([...named, ...texts.flatMap((text) => documents(path, text))]);
    },
    documents,
  };
}

/** Of parts with one selector, the last rule stands. */
function unique(parts: readonly KeptPart[]): KeptPart[] {
  return [...new Map(parts.map((part) => [formatSelector(part.selector), part])).values()];
}

const wordOf = (kind: string) =>
  new RegExp(`(?<![\\w-])${kind.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}(?:List)?(?![\\w-])`);

/** SOPS marks its values in every format that it writes: YAML, JSON, dotenv, INI, binary (github.com/getsops/sops). */
const isEncrypted = (text: string) => text.includes('ENC[AES256_GCM,') && text.includes('sops');

/** A YAML or JSON file by name, including derived names: `a.yaml.tpl`, `a.yml.bak`. */
const namesFormat = (path: string) => /\.(?:ya?ml|json)(?:\.[^/]*)?$/i.test(path);

/** In a file with another extension, `kind` alone may be ordinary text. */
const isManifest = ({ apiVersion, name, inside, sops }: DocumentDescription) =>
  apiVersion !== undefined || name !== undefined || inside !== undefined || sops;

function identity({ kind = '', name, namespace }: ObjectName): Record<string, string> {
  return {
    kind,
    ...(name !== undefined && { 'metadata.name': name }),
    ...(namespace !== undefined && { 'metadata.namespace': namespace }),
  };
}

/** YAML or JSON by extension, or a name without extension. */
export function mayBeYaml(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /\.(ya?ml|json)$/i.test(name) || !name.slice(1).includes('.');
}
