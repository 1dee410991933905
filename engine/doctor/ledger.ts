/** Whether this version can read what the ledger says of requests: one that it cannot read holds all of them back. */
import type { Check, ObjectId } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { isOpen } from '../record/transitions.ts';
import { createCache, snapshotAt } from '../requests/ledger/snapshot.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { settled } from './attempt.ts';

/** null where nothing was asked for yet. @throws LEDGER_NEWER, LEDGER_TAMPERED, LEDGER_REWOUND */
export async function checkLedger(git: GitRepository, { layout }: Snapshot): Promise<Check | null> {
  const { ref } = layout.config.ledger;
  const looked = await settled(tipOf(git, ref));
  // Said already, once.
  if ('error' in looked && looked.error.code === 'GIT_MISSING') return null;
  if ('error' in looked) throw looked.error;
  const { value: tip } = looked;
  if (tip === null) return null;
  const ledger = await snapshotAt({ git, ref, cache: createCache() }, tip);
  const requests = (await ledger.known(() => true)).length;
  // A session that cannot be read holds back as much.
  await ledger.sessions();
  const open = (await ledger.find(({ status }) => isOpen(status))).length;
  return {
    area: 'repository',
    name: 'ledger',
    status: 'ok',
    message: `The ledger, at ${ref}, can be read: ${requests} ${requests === 1 ? 'request' : 'requests'}, ${open} open.`,
    details: { ref, requests, open },
  };
}

/** As it was fetched where its remote is away, which is said beside it. */
const tipOf = async (git: GitRepository, ref: string): Promise<ObjectId | null> =>
  (await git.look()) === null ? git.ledger.tip(ref) : git.ledger.peek(ref);
