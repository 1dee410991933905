import type { ConfigEntry } from '../config.ts';
import type { GitFiles } from './files.ts';

/** The repository's own file, line by line; values that go on in the next line are cut there. */
export async function readConfig(files: GitFiles): Promise<ConfigEntry[]> {
  const entries: ConfigEntry[] = [];
  let section = '';
  for (const line of ((await files.read('config'))?.toString('utf8') ?? '').split(/\r?\n/)) {
    const [, name, sub] = /^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line) ?? [];
    if (name !== undefined)
      section = `${name.toLowerCase()}.${sub === undefined ? '' : `${sub.replace(/\\(.)/g, '$1')}.`}`;
    const rest = name === undefined ? line : line.slice(line.indexOf(']') + 1);
    const [, key, value] = /^\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*?)\s*)?$/.exec(rest) ?? [];
    if (key === undefined || section === '') continue;
    entries.push({ scope: 'local', key: `${section}${key.toLowerCase()}`, value: plainValue(value) });
  }
  return entries;
}

/** Quotes, comments and escapes as git has them. */
function plainValue(value: string | undefined): string | null {
  if (value === undefined) return null;
  let text = '';
  let quoted = false;
  for (let at = 0; at < value.length; at += 1) {
    const char = value[at] ?? '';
    if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '#' || char === ';')) return text.trimEnd();
    else if (char === '\\') {
      at += 1;
      text += ESCAPES[value[at] ?? ''] ?? value[at] ?? '';
    } else text += char;
  }
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' };
