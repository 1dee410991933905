/** The ledger as plain git gives it, read without any code of the engine. */
import { z } from 'zod';
import { LEDGER } from './answers.ts';
import { git } from './repository.ts';

const eventSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  actor: z.object({ name: z.string(), email: z.string() }),
  settles: z.boolean().optional(),
  gate: z.string().nullable().optional(),
});
const fileSchema = z.object({
  version: z.literal([1, 2, 5]),
  state: z.record(z.string(), z.unknown()),
  events: z.array(eventSchema).min(1),
});
export type RecordedEvent = z.infer<typeof eventSchema>;
export type LedgerFile = z.infer<typeof fileSchema> & { readonly text: string };

/** A commit, the events that it says it holds, and the files that it changed: one for each of them. */
export interface LedgerCommit {
  readonly id: string;
  readonly parents: readonly string[];
  readonly eventIds: readonly string[];
  readonly changes: readonly { readonly path: string; readonly status: string; readonly blob: string }[];
}

/** Every commit that the tip reaches, the oldest first. */
export function readCommits(directory: string): LedgerCommit[] {
  const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x20)`;
  const format = `%x00%H%n%P%n${trailer('Event-Id')} ${trailer('Event-Item')}`;
  const log = git(directory, [
    'log',
    '--reverse',
    '--topo-order',
    '--raw',
    '--no-abbrev',
    '--no-renames',
    '-m',
    '--first-parent',
    `--format=${format}`,
    LEDGER,
  ]);
  return log
    .split('\0')
    .slice(1)
    .map((entry) => {
      const [id = '', parents = '', said = '', ...rest] = entry.split('\n');
      const changes = rest
        .filter((line) => line.startsWith(':'))
        .map((line) => {
          const [, , , blob = '', status = ''] = line.split(/[ \t]/);
          return { path: line.slice(line.indexOf('\t') + 1), status, blob };
        });
      const eventIds = said.match(/\bevt-\w+/g) ?? [];
      return { id, parents: parents.split(' ').filter((parent) => parent !== ''), eventIds, changes };
    });
}

/** Many files at once. */
export function readFiles(directory: string, blobs: readonly string[]): Map<string, LedgerFile> {
  const output = Buffer.from(git(directory, ['cat-file', '--batch'], `${blobs.join('\n')}\n`), 'utf8');
  const files = new Map<string, LedgerFile>();
  let at = 0;
  for (const blob of blobs) {
    const end = output.indexOf(0x0a, at);
    const size = Number(output.subarray(at, end).toString().split(' ')[2]);
    const text = output.subarray(end + 1, end + 1 + size).toString('utf8');
    files.set(blob, { ...fileSchema.parse(JSON.parse(text)), text });
    at = end + size + 2;
  }
  return files;
}
