/** Requests that are published in one push, or none of them: all of an incident that says `atomic`. */
import { BacktrailError, formatCoordinates, type LedgerRequest, type RequestId } from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { samePerson } from '../../policy/policy.ts';
import type { LedgerSnapshot } from '../ledger/snapshot.ts';

/**
 * All requests of the group that this one says it belongs to, in their order; null where it belongs to none. The first request names all, and
 * each names the first: nobody gets into the group of another person, or out of it.
 *
 * @throws FORBIDDEN where they do not agree
 */
export const groupOf = (
  ledgerSnapshot: LedgerSnapshot,
  state: LedgerRequest,
): Promise<readonly RequestFile[] | null> => groupsIn(ledgerSnapshot)(state);

/** The same of many: a group is read once, however many of it are asked about. */
export function groupsIn(
  ledgerSnapshot: LedgerSnapshot,
): (state: LedgerRequest) => Promise<readonly RequestFile[] | null> {
  const read = new Map<RequestId, Promise<readonly RequestFile[] | null>>();
  return async (state) => {
    const { atomic } = state;
    if (atomic === undefined) return null;
    const first = await ledgerSnapshot.request(atomic.first);
    if (first?.state.atomic?.members?.includes(state.id) !== true) throw notOne(state);
    const reading = read.get(atomic.first) ?? membersOf(ledgerSnapshot, first.state);
    read.set(atomic.first, reading);
    const members = await reading;
    if (members === null) throw notOne(state);
    return members;
  };
}

/** Those that a first request names; null where one of them does not say so itself. */
async function membersOf(
  ledgerSnapshot: LedgerSnapshot,
  first: LedgerRequest,
): Promise<readonly RequestFile[] | null> {
  const members: RequestFile[] = [];
  for (const id of first.atomic?.members ?? []) {
    const file = await ledgerSnapshot.request(id);
    const belongs =
      file?.state.atomic?.first === first.id &&
      file.state.incident === first.incident &&
      samePerson(file.state.author.email, first.author.email);
    if (file === null || !belongs) return null;
    members.push(file);
  }
  return members;
}

function notOne({ id }: LedgerRequest): BacktrailError {
  return new BacktrailError(
    'FORBIDDEN',
    `Request ${id} is to be published with others or not at all, and those do not belong together.`,
    { hint: 'Ask for its rollback again.' },
  );
}

/** Why none of a group may be published now, for as long as these stay as they are; null where nothing of it says so. */
export function obstacleIn(members: readonly Pick<RequestFile, 'state'>[]): BacktrailError | null {
  const states = members.map(({ state }) => state);
  const [ended] = states.filter(({ status }) => ENDED.has(status));
  if (ended !== undefined)
    return new BacktrailError(
      'REQUEST_CLOSED',
      `It is published with others or not at all, and ${nameOf(ended)} is ${ended.status}.`,
      { hint: 'Give the incident file another id to ask for the others again.' },
    );
  const open = states.filter(({ status }) => status === 'pending');
  if (open.length === 0) return null;
  return new BacktrailError(
    'AWAITING_APPROVAL',
    `It is approved, and published with others or not at all: ${open.length} of ${states.length} await approval.`,
    { details: { awaiting: open.map(({ id }) => id) } },
  );
}

const ENDED: ReadonlySet<LedgerRequest['status']> = new Set([
  'failed',
  'rejected',
  'superseded',
  'expired',
  'cancelled',
]);

export const nameOf = ({ id, scope }: Pick<LedgerRequest, 'id' | 'scope'>) =>
  `${formatCoordinates(scope)} (${id})`;

/** Those that a worker has something to do for: nothing of a group that still awaits approvals. */
export async function executable(
  ledgerSnapshot: LedgerSnapshot,
  files: readonly RequestFile[],
): Promise<readonly RequestFile[]> {
  const awaits = new Map<RequestId, boolean>();
  const found: RequestFile[] = [];
  for (const file of files) {
    const { atomic } = file.state;
    if (atomic === undefined) {
      found.push(file);
      continue;
    }
    const isAwaiting = awaits.get(atomic.first) ?? (await awaitsOthers(ledgerSnapshot, file.state));
    awaits.set(atomic.first, isAwaiting);
    if (!isAwaiting) found.push(file);
  }
  return found;
}

/** What is wrong with a group is said, and recorded, when it is executed. */
async function awaitsOthers(ledgerSnapshot: LedgerSnapshot, state: LedgerRequest): Promise<boolean> {
  const members = await groupOf(ledgerSnapshot, state).catch(() => null);
  return members !== null && obstacleIn(members)?.code === 'AWAITING_APPROVAL';
}
