/** What an attacker can do who may push anything: commits on the ledger made with plain git, and with no code of ours. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Person } from '../../../engine/internal.ts';
import { requestPath } from '../../../engine/record/ledger-file.ts';
import type { Content, Repo } from '../repositories/repo.ts';
import { LEDGER } from './scene.ts';
import type { Identity } from './signing.ts';

export interface Forgery {
  readonly files: Readonly<Record<string, Content>>;
  readonly author: Person;
  readonly message: string;
  /** Whose key signs it. */
  readonly key?: Identity;
  /** The ledger's tip where absent. */
  readonly parents?: readonly string[];
  /** ISO 8601: the dates of the commit; now where absent. */
  readonly date?: string;
}

/** Makes a commit and puts it at the ledger's tip, whatever was there. */
export async function forge(repo: Repo, forgery: Forgery): Promise<string> {
  const { author, key, message, files } = forgery;
  const parents = forgery.parents ?? [await repo.git('rev-parse', LEDGER)];
  const tree = await treeWith(repo, parents[0], files);
  const commit = await repo.gitWith(
    { env: { ...key?.env, ...lines(author), ...dates(forgery.date) }, input: message },
    ['commit-tree', ...(key ? ['-S'] : []), ...parents.flatMap((parent) => ['-p', parent]), tree],
  );
  await repo.git('update-ref', LEDGER, commit);
  return commit;
}

const lines = ({ name, email }: Person) => ({
  GIT_AUTHOR_NAME: name,
  GIT_AUTHOR_EMAIL: email,
  GIT_COMMITTER_NAME: 'Backtrail',
  GIT_COMMITTER_EMAIL: 'backtrail@localhost',
});

/** git reads years of four digits up to 2099 only; seconds have no such end. */
const dates = (date: string | undefined) => {
  const seconds = date === undefined ? '' : `@${Date.parse(date) / 1000} +0000`;
  return date === undefined ? {} : { GIT_AUTHOR_DATE: seconds, GIT_COMMITTER_DATE: seconds };
};

let made = 0;

/** fast-import takes names that git would never check out. */
async function treeWith(repo: Repo, parent: string | undefined, files: Forgery['files']): Promise<string> {
  const branch = `forged-${(made += 1)}`;
  const ref = join(repo.gitDir, 'refs/heads', branch);
  if (parent !== undefined) await writeFile(ref, `${parent}\n`);
  const [commit] = await repo.replay([{ files, message: 'forged' }], branch);
  const tree = await repo.git('rev-parse', `${commit}^{tree}`);
  await rm(ref);
  return tree;
}

const shape = z.object({
  version: z.number(),
  state: z.looseObject({ digest: z.string() }),
  events: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string(),
      actor: z.object({ name: z.string(), email: z.string() }),
      proposal: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});
/** A file of the ledger. */
export type LedgerFile = z.infer<typeof shape>;
export type Forged = LedgerFile['events'][number];

export async function fileOf(repo: Repo, id: string, at = LEDGER): Promise<LedgerFile> {
  return shape.parse(JSON.parse(await repo.git('show', `${at}:${requestPath(id)}`)));
}

export const print = (file: unknown) => `${JSON.stringify(file, null, 2)}\n`;

/** One more event in the file of a request, with the message that belongs to it. */
export async function forgeEvent(
  repo: Repo,
  id: string,
  event: Forged,
  how: { author?: Person; key?: Identity; status?: string; date?: string; message?: string } = {},
): Promise<string> {
  const { state, events, version } = await fileOf(repo, id);
  const file = {
    // What says that something was proposed has the form of those that do.
    version: event.type === 'proposed' ? Math.max(version, 3) : version,
    state: { ...state, ...(how.status && { status: how.status }) },
    events: [...events, event],
  };
  return forge(repo, {
    files: { [requestPath(id)]: print(file) },
    author: how.author ?? event.actor,
    message: how.message ?? messageOf(event, id),
    ...(how.key && { key: how.key }),
    ...(how.date !== undefined && { date: how.date }),
  });
}

export function messageOf(event: Pick<Forged, 'id' | 'type' | 'actor'>, id: string): string {
  const { name, email } = event.actor;
  return [
    `${name} ${event.type} ${id}`,
    '',
    `Event: ${event.type}`,
    `Event-Id: ${event.id}`,
    `Event-Time: ${TIME}`,
    `Event-Actor: ${name} <${email}>`,
    `Event-Request: ${id}`,
    '',
  ].join('\n');
}

export const TIME = '2026-11-21T12:00:00Z';

/** An approval that says that it suffices. */
export function approvalBy(actor: Person, digest: unknown, at = TIME) {
  return {
    id: eventId(),
    at,
    actor,
    type: 'approved',
    digest,
    comment: null,
    quorum: { have: 1, need: 1 },
    settles: true,
  };
}

export const eventId = () => `evt-01KAJ${String((made += 1)).padStart(21, '0')}`;
