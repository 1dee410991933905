import type { ConfigEntry } from '../process/config.ts';
import type { GitFiles } from './files.ts';

/** The repository's own file, line by line: without includes, and a value that goes on in the next line is cut there. */
export async function readConfig(files: GitFiles): Promise<ConfigEntry[]> {
  const entries: ConfigEntry[] = [];
  let section = '';
  for (const line of ((await files.read('config'))?.toString('utf8') ?? '').split(/\r?\n/)) {
    const [header, name, sub] = /^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line) ?? [];
    if (name !== undefined)
      section = `${name.toLowerCase()}.${sub === undefined ? '' : `${sub.replace(/\\(.)/g, '$1')}.`}`;
    const [, key, value] =
      /^([A-Za-z][\w-]*)\s*(?:=(.*))?$/.exec(line.slice(header?.length ?? 0).trim()) ?? [];
    if (key === undefined || section === '') continue;
    entries.push({ scope: 'local', key: `${section}${key.toLowerCase()}`, value: plainValue(value?.trim()) });
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
