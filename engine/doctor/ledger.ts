/** Whether this version can read what the ledger says of requests: one that it cannot read holds all of them back. */
import type { Check } from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { isOpen } from '../record/transitions.ts';
import { createCache, openLedgerSnapshot } from '../requests/ledger/snapshot.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { settled } from './attempt.ts';

/** null where nothing was asked for yet. @throws LEDGER_NEWER, LEDGER_TAMPERED, LEDGER_REWOUND */
export async function checkLedger(git: GitRepository, { layout }: Snapshot): Promise<Check | null> {
  const { ref } = layout.config.ledger;
  const opened = await settled(openLedgerSnapshot(git, ref, createCache()));
  // Said already, once.
  if ('error' in opened && opened.error.code === 'GIT_MISSING') return null;
  if ('error' in opened) throw opened.error;
  const ledger = opened.value;
  if (ledger.tip === null) return null;
  const [requests, open] = [
    await ledger.known(() => true),
    await ledger.find(({ status }) => isOpen(status)),
  ];
  const count = requests.length === 1 ? 'one request' : `${requests.length} requests`;
  return {
    area: 'repository',
    name: 'ledger',
    status: 'ok',
    message: `The ledger, at ${ref}, has ${count}, ${open.length} of them open.`,
    details: { ref, requests: requests.length, open: open.length },
  };
}
