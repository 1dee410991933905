/** The output of a program as manifests. */
import { BacktrailError, type ProgramResult } from '../model/index.ts';
import { convert } from './convert.ts';
import { type Manifest, sortManifests } from './manifests.ts';
import { readSource } from './source-file.ts';
import { cleanText } from './quoted-text.ts';
import { isMap, Plain, textOf, type Value } from './value.ts';

export interface ProgramRun {
  /** The program, for messages. */
  readonly what: string;
  /** The service's folder. */
  readonly directory: string;
}

/** Maximum size of the output: parsing more would need more memory than a worker has. */
const MAX_BYTES = 8 * 1024 * 1024;
const BUDGET = { nodes: 1_000_000, characters: 2 * MAX_BYTES };

/** Parses the output. Every document must be a Kubernetes object: nothing else may reach a cluster. */
export function parseOutput({ what, directory }: ProgramRun, stdout: Uint8Array): readonly Value[] {
  const place = `${what} ${cleanText(directory)} (output)`;
  const file = readSource(place, stdout, MAX_BYTES);
  const budget = { ...BUDGET };
  const manifests: Manifest[] = [];
  for (const document of file.documents) {
    const value = convert({ file, document, budget, variables: null });
    const offset = document.contents?.range?.[0] ?? 0;
    if (value instanceof Plain && value.value === null) continue;
    const object =
      isMap(value) && ['apiVersion', 'kind'].every((key) => typeof textOf(value.get(key)) === 'string');
    if (!object) throw file.fail(offset, 'a document is not a Kubernetes object with apiVersion and kind.');
    manifests.push({ value, file, offset });
  }
  return sortManifests(manifests);
}

/** The error of a failed program, without quoted text: that may be a patch with a secret. */
export function programFailed(
  { what, directory }: ProgramRun,
  { code, stderr }: ProgramResult,
): BacktrailError {
  const reason =
    cleanText(withoutQuotes(complaint(stderr.slice(-MAX_STDERR))), Infinity) || `exit code ${code}`;
  // The end of a chain of causes is the most specific.
  const end = reason.length > MAX_REASON ? `…${reason.slice(-MAX_REASON)}` : reason;
  return new BacktrailError(
    'RENDER_FAILED',
    `${what} failed for ${cleanText(directory)}: ${end.replace(/[.…]?$/, '.')}`,
    { details: { directory, exitCode: code } },
  );
}

const MAX_REASON = 300;
/** Number of characters of stderr that are examined. */
const MAX_STDERR = 16 * 1024;

/** Extracts the error: kubectl wraps it into a log line; others prefix it with a word. */
function complaint(stderr: string): string {
  const [, line, block] = /\berr=(?:"((?:[^"\\]|\\.)*)"|<\n([^]*?)\n >)/.exec(stderr) ?? [];
  if (line !== undefined) return line.replace(/\\(?:[nt])/g, ' ').replaceAll('\\', '');
  if (block !== undefined) return block;
  const named = /^(?:error|fatal):\s*([^]+)/im.exec(stderr)?.[1];
  return named ?? stderr.trimEnd().split('\n').at(-1) ?? '';
}

/** Removes backticks, lists of possible objects, and everything after the sources of a Secret. Linear time: the text is untrusted. */
function withoutQuotes(text: string): string {
  const [before = '', ...lists] = text.replace(/`[^`]*`?/g, '…').split('[');
  const end = lists.findIndex((list) => /[:{]/.test(list.split(']', 1)[0] ?? ''));
  const kept = end < 0 ? lists : [...lists.slice(0, end), '…]'];
  return [before, ...kept]
    .join('[')
    .replace(/\bcontents:[^]*/, 'contents: …')
    .replace(/\b(literal sources?|env sources?|file sources?|loading KV pairs)\b[^]*/i, '$1 …');
}
