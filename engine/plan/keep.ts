/** `keep`: what no rollback touches. Path patterns, `path#selector`, `kind:Secret`, `format:sops`. */
import picomatch from 'picomatch';
import { claimsKind, type DocumentDescription, describeDocuments } from '../yaml/kinds.ts';
import { formatSelector, parseSelector, type Selector } from '../yaml/selector.ts';

export interface KeptPart {
  readonly selector: Selector;
  readonly by: string;
}

export interface Keep {
  /** The pattern that keeps the whole path, whatever it holds; null where none does. */
  path(path: string): string | null;
  /** Could the content of files decide? */
  readonly looksInside: boolean;
  /** The rule that keeps a file of this content as a whole; null where none does. */
  content(path: string, text: string): string | null;
  /** Parts of the file that are kept; a kept document of several counts as a part. */
  parts(path: string, texts: readonly string[]): readonly KeptPart[];
}

export function compileKeep(patterns: readonly string[]): Keep {
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
    });
  const ruleOf = (document: DocumentDescription) =>
    document.sops && sops ? 'format:sops' : (kinds.find(({ kind }) => kind === document.kind)?.by ?? null);
  /** A list that holds a kept kind is kept as a whole: its items are no documents that could be kept as parts. */
  const ruleOfItems = ({ inside = [] }: DocumentDescription) =>
    kinds.find(({ kind }) => inside.includes(kind))?.by ?? null;
  // Only a backslash can write a word without its letters; everything else need not be parsed.
  const mayHold = (text: string) =>
    text.includes('\\') || kinds.some(({ kind }) => text.includes(kind)) || (sops && text.includes('sops'));
  const describe = (text: string) => (mayHold(text) ? describeDocuments(text) : []);
  const claimed = (text: string) => kinds.find(({ kind }) => claimsKind(text, kind))?.by ?? null;
  return {
    looksInside: sops || kinds.length > 0,
    path: (path) => whole.find(({ matches }) => matches(path))?.by ?? null,
    content: (path, text) => {
      if (sops && isEncrypted(text)) return 'format:sops';
      const isYaml = mayBeYaml(path);
      // Files of any name may hold a manifest (`a.yaml.tpl`, `a.yml.bak`); only those that say so are worth parsing.
      if (!isYaml && claimed(text) === null) return null;
      const documents = describe(text);
      if (documents.length === 0) return claimed(text);
      const rules = documents.map(ruleOf);
      const listed = documents.map(ruleOfItems).find((rule) => rule !== null);
      if (listed !== undefined) return listed;
      if (!isYaml) return rules.find((rule) => rule !== null) ?? null;
      return rules.every((rule) => rule !== null) ? (rules[0] ?? null) : null;
    },
    parts: (path, texts) => {
      const found = new Map<string, KeptPart>();
      for (const { by, matches, selector } of parts)
        if (matches(path)) found.set(formatSelector(selector), { selector, by });
      for (const document of mayBeYaml(path) ? texts.flatMap(describe) : []) {
        const by = ruleOf(document);
        if (by === null || document.kind === undefined) continue;
        const selector: Selector = [{ match: identity(document) }];
        found.set(formatSelector(selector), { selector, by });
      }
      return [...found.values()];
    },
  };
}

/** SOPS marks its values in every format that it writes: YAML, JSON, dotenv, INI, binary (github.com/getsops/sops). */
const isEncrypted = (text: string) => text.includes('ENC[AES256_GCM,') && text.includes('sops');

function identity({ kind = '', name, namespace }: DocumentDescription): Record<string, string> {
  return {
    kind,
    ...(name !== undefined && { 'metadata.name': name }),
    ...(namespace !== undefined && { 'metadata.namespace': namespace }),
  };
}

/** YAML or JSON by its ending, or a name without an ending. */
export function mayBeYaml(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /\.(ya?ml|json)$/i.test(name) || !name.slice(1).includes('.');
}
