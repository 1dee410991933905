/** What a program printed, as manifests. */
import { BacktrailError, type ProgramResult } from '../model/index.ts';
import { convert } from './convert.ts';
import { type Manifest, sortManifests } from './manifests.ts';
import { readSource } from './read.ts';
import { clean } from './quoted-text.ts';
import { isMap, Plain, textOf, type Value } from './value.ts';

export interface Named {
  /** The program, as messages name it. */
  readonly what: string;
  /** Of the service. */
  readonly directory: string;
}

/** Printed manifests, parsed: larger ones would take more memory than a worker has. */
const MAX_BYTES = 8 * 1024 * 1024;
const BUDGET = { nodes: 1_000_000, characters: 2 * MAX_BYTES };

/** Every document must be a Kubernetes object: whatever else a program prints must not reach a cluster. */
export function manifestsPrinted({ what, directory }: Named, stdout: Uint8Array): readonly Value[] {
  const place = `${what} ${clean(directory)} (output)`;
  const file = readSource(place, stdout, MAX_BYTES);
  const budget = { ...BUDGET };
  const manifests: Manifest[] = [];
  for (const document of file.documents) {
    const value = convert({ file, document, budget, variables: null });
    const offset = document.contents?.range?.[0] ?? 0;
    if (value instanceof Plain && value.value === null) continue;
    const object =
      isMap(value) && ['apiVersion', 'kind'].every((key) => typeof textOf(value.get(key)) === 'string');
    if (!object) throw file.fail(offset, 'a document is no Kubernetes object with apiVersion and kind.');
    manifests.push({ value, file, offset });
  }
  return sortManifests(manifests);
}

/** Why it failed, without what it quotes: that may be a patch, and with it a secret. */
export function programFailed({ what, directory }: Named, { code, stderr }: ProgramResult): BacktrailError {
  const said = clean(withoutQuotes(complaint(stderr.slice(-READ))), Infinity) || `exit code ${code}`;
  // The end of a long chain of causes says most.
  const end = said.length > SAID ? `…${said.slice(-SAID)}` : said;
  return new BacktrailError(
    'RENDER_FAILED',
    `${what} failed for ${clean(directory)}: ${end.replace(/[.…]?$/, '.')}`,
    { details: { directory, exitCode: code } },
  );
}

const SAID = 300;
/** Characters of what a program says that are looked at. */
const READ = 16 * 1024;

/** kubectl wraps an error into a line of its log; others begin it with a word. */
function complaint(stderr: string): string {
  const [, line, block] = /\berr=(?:"((?:[^"\\]|\\.)*)"|<\n([^]*?)\n >)/.exec(stderr) ?? [];
  if (line !== undefined) return line.replace(/\\(?:[nt])/g, ' ').replaceAll('\\', '');
  if (block !== undefined) return block;
  const named = /^(?:error|fatal):\s*([^]+)/im.exec(stderr)?.[1];
  return named ?? stderr.trimEnd().split('\n').at(-1) ?? '';
}

/** Linear in the text, which is somebody's: backticks, lists of what may be objects, and everything behind the sources of a Secret. */
function withoutQuotes(text: string): string {
  const [before = '', ...lists] = text.replace(/`[^`]*`?/g, '…').split('[');
  const end = lists.findIndex((list) => /[:{]/.test(list.split(']', 1)[0] ?? ''));
  const kept = end < 0 ? lists : [...lists.slice(0, end), '…]'];
  return [before, ...kept]
    .join('[')
    .replace(/\bcontents:[^]*/, 'contents: …')
    .replace(/\b(literal sources?|env sources?|file sources?|loading KV pairs)\b[^]*/i, '$1 …');
}
