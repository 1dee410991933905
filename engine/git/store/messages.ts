import { type CommitMessage, isRequestId, type ObjectId, type RequestId } from '../../model/index.ts';
import { requireObjectId } from './object-id.ts';
import { tokens, unreadable } from '../process/raw-output.ts';
import { certain } from '../process/certain.ts';
import type { Runner } from '../process/runner.ts';
import { SMALL_WINDOWS } from '../process/small-windows.ts';

const FORMAT = '--format=tformat:%H%x00%(trailers:only,unfold)';
const LOG = [
  ...SMALL_WINDOWS,
  'log',
  '-z',
  '--no-patch',
  '--no-notes',
  '--no-decorate',
  '--no-show-signature',
  '--no-color',
  '--encoding=UTF-8',
  FORMAT,
];

/** What git reads in the messages of these commits: one call for all of them. */
export async function messages(
  runner: Runner,
  ids: readonly ObjectId[],
): Promise<Map<ObjectId, CommitMessage>> {
  if (ids.length === 0) return new Map();
  const input = `${ids.map(requireObjectId).join('\n')}\n`;
  const { stdout } = await runner.run([...LOG, '--no-walk=unsorted', '--stdin'], { input });
  return readMessages(stdout);
}

/** See `RepositoryReader.findRequest`. */
export async function findRequest(
  runner: Runner,
  search: { readonly tip: ObjectId; readonly base: ObjectId | null; readonly requestId: RequestId },
): Promise<ObjectId | null> {
  const { tip, base, requestId } = search;
  if (tip === base) return null;
  const range = await searchRange(runner, tip, base);
  const grep = ['--first-parent', '--fixed-strings', `--grep=${requestId}`];
  const { stdout } = await runner.run([...LOG, ...grep, ...range]);
  const found = [...readMessages(stdout)].filter(([, { trailers }]) => executesRequest(trailers, requestId));
  return found.at(-1)?.[0] ?? null;
}

/** See `RepositoryPublisher.requestsSince`. */
export async function requestsSince(
  runner: Runner,
  { tip, after }: { readonly tip: ObjectId; readonly after: ObjectId | null },
): Promise<Map<RequestId, ObjectId>> {
  if (tip === after) return new Map();
  const range = [requireObjectId(tip), ...(after === null ? [] : [`^${requireObjectId(after)}`])];
  const grep = [
    '--first-parent',
    '--regexp-ignore-case',
    '--grep=^(Rollback|Resume)-Request-ID:',
    '--extended-regexp',
  ];
  const { stdout } = await runner.run([...LOG, ...grep, ...range]);
  const found = new Map<RequestId, ObjectId>();
  // Newest first: of several commits the oldest one stays.
  for (const [commit, { trailers }] of readMessages(stdout)) {
    const id = requestOf(trailers);
    if (id !== null && isRequestId(id)) found.set(id, commit);
  }
  return found;
}

async function searchRange(runner: Runner, tip: ObjectId, base: ObjectId | null): Promise<string[]> {
  if (base === null) return [tip];
  const after = [
    'rev-list',
    '--first-parent',
    requireObjectId(tip),
    `^${requireObjectId(base)}`,
    '--parents',
  ];
  const isOnLine = await certain(runner, after.join(' '), async () => {
    const last = await runner.text(after, { okCodes: [0, 128] });
    return last.split('\n').at(-1)?.split(' ')[1] === base;
  });
  return isOnLine ? [tip, `^${base}`] : [tip];
}

/** Two ids in one message are tampering: such a commit executes nothing. */
export function executesRequest(trailers: readonly string[], requestId: RequestId): boolean {
  return requestOf(trailers) === requestId;
}

function requestOf(trailers: readonly string[]): string | null {
  const ids = trailers.filter((line) => /^(?:rollback|resume)-request-id:/i.test(line));
  return ids.length === 1 ? (ids[0]?.slice((ids[0]?.indexOf(':') ?? 0) + 1).trim() ?? null) : null;
}

function readMessages(output: Buffer): Map<ObjectId, CommitMessage> {
  const found = new Map<ObjectId, CommitMessage>();
  const rest = tokens(output);
  for (let id = rest.next(); id !== null; id = rest.next()) {
    const trailers = rest.next();
    if (trailers === null) throw unreadable('a message that is cut off');
    found.set(id.toString('latin1'), { trailers: trailers.toString('utf8').split('\n').filter(Boolean) });
  }
  return found;
}
