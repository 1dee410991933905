/** What was observed of a cluster becomes a status of records: all of one look in one commit, and nothing where nothing changed. */
import {
  type Coordinates,
  type Deployment,
  formatCoordinates,
  makeDeploymentId,
  type Person,
  type Scope,
} from '../model/index.ts';
import { hasPermission } from '../policy/policy.ts';
import { type RequestContext, type Rules, rulesOf } from '../requests/context.ts';
import type { SecretScans } from '../snapshot/secrets/raw-secrets.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { appendDeployments } from './append.ts';
import { type DeployedContent, deployedContent } from './content.ts';
import { judgeDeployments } from './counted.ts';
import { nextEvents, type ObservedStatus, type UnstampedEvent } from './observed-events.ts';
import { coordinatesOf, type DeploymentCache, type DeploymentStore, textOf } from './store.ts';

export interface RecordedStatuses {
  /** Those that the records say now, by this call or before. */
  readonly recorded: readonly ObservedStatus[];
  /** Why one was not written. */
  readonly refused: readonly {
    readonly of: ObservedStatus;
    readonly code: RefusalCode;
    readonly message: string;
  }[];
}

type RefusalCode =
  | 'RECORDS_OFF'
  | 'PERMISSION_DENIED'
  | 'IDENTITY_UNVERIFIED'
  | 'RAW_SECRET'
  | 'RECORD_ENDED';

interface Place {
  readonly context: RequestContext;
  readonly cache: DeploymentCache;
  readonly scans: SecretScans;
}

/** By this machine's own identity. @throws what the ref cannot be moved with */
export async function recordObserved(
  { context, cache, scans }: Place,
  observed: readonly ObservedStatus[],
): Promise<RecordedStatuses> {
  const { git, clock, random } = context;
  git.requireWriting();
  const snapshot = await context.observe();
  const rules = await rulesOf(context, snapshot);
  const { deployments, commit: style } = snapshot.layout.config;
  const actor = (await git.identity()) ?? context.committer;
  const { allowed, refused } = await permitted({ context, rules, snapshot, actor }, observed);
  if (allowed.length === 0) return { recorded: [], refused };
  const contents = await contentsOf({ snapshot, scans }, allowed);
  const positions = await snapshot.positions();
  const place = { context, cache, ref: deployments.ref, signoff: style.signoff };
  const makeId = () => makeDeploymentId(clock.now(), random(10));
  let ended: readonly ObservedStatus[] = [];
  await appendDeployments(place, async (store, stamped) => {
    // One commit has one time.
    const { at, actor: by } = stamped(actor);
    const decided = await Promise.all(
      allowed.map(async (of) => {
        const content = contents.get(of);
        const records = await recordsOf({ context, rules, store }, of);
        return { of, made: content ? nextEvents({ of, records, content, positions, makeId }) : [] };
      }),
    );
    ended = decided.flatMap(({ of, made }) => (made === 'ended' ? [of] : []));
    return decided
      .flatMap(({ made }): readonly UnstampedEvent[] => (made === 'ended' ? [] : made))
      .map((event) => ({ ...stamped(actor), at, actor: by, ...event }));
  });
  const isSecret = (of: ObservedStatus) => (contents.get(of)?.secret ?? null) !== null;
  const late = allowed.flatMap((of): Refused[] => {
    if (isSecret(of)) return [{ of, code: 'RAW_SECRET', message: 'The revision holds a raw secret.' }];
    return ended.includes(of)
      ? [{ of, code: 'RECORD_ENDED', message: 'What is recorded of the revision is over.' }]
      : [];
  });
  const left = new Set(late.map(({ of }) => of));
  return { recorded: allowed.filter((of) => !left.has(of)), refused: [...refused, ...late] };
}

type Refused = RecordedStatuses['refused'][number];

interface Asking {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly snapshot: Snapshot;
  readonly actor: Person;
}

/** What may be written, and would count. */
async function permitted(
  { context: { git }, rules, snapshot, actor }: Asking,
  observed: readonly ObservedStatus[],
): Promise<{ readonly allowed: readonly ObservedStatus[]; readonly refused: readonly Refused[] }> {
  const { ref, record } = snapshot.layout.config.deployments;
  const all = (code: RefusalCode, message: string) => ({
    allowed: [],
    refused: observed.map((of) => ({ of, code, message })),
  });
  if (record === 'never' || (record === 'auto' && (await git.ledger.peek(ref)) === null))
    return all('RECORDS_OFF', 'Deployments are not recorded here.');
  if (rules.knowsKeys && !(await git.ledger.signs()))
    return all('IDENTITY_UNVERIFIED', 'Git has no key here to sign with: what it records would not count.');
  const mayRecord = (of: ObservedStatus) => hasPermission(rules.policy, actor, 'record', of);
  return {
    allowed: observed.filter(mayRecord),
    refused: observed
      .filter((of) => !mayRecord(of))
      .map((of) => ({
        of,
        code: 'PERMISSION_DENIED',
        message: `${actor.email} may not record deployments of ${formatCoordinates(of)}.`,
      })),
  };
}

async function contentsOf(
  { snapshot, scans }: { readonly snapshot: Snapshot; readonly scans: SecretScans },
  observed: readonly ObservedStatus[],
): Promise<ReadonlyMap<ObservedStatus, DeployedContent>> {
  const found = new Map<ObservedStatus, DeployedContent>();
  for (const of of observed) found.set(of, await deployedContent(snapshot, scopeOf(of), of.commit, scans));
  return found;
}

const scopeOf = (names: Coordinates): Scope => ({
  mode: names.service === undefined ? 'full' : 'service',
  ...coordinatesOf(names),
});

/** Newest first; older ones are long over. */
const MOST = 50;

async function recordsOf(
  judging: Pick<Parameters<typeof judgeDeployments>[0], 'context' | 'rules'> & {
    readonly store: DeploymentStore;
  },
  { tenant, environment, service }: Coordinates,
): Promise<readonly Deployment[]> {
  const { store, rules } = judging;
  const known = store.known(
    (each) => each.tenant === tenant && each.environment === environment && each.service === service,
    textOf({ environment }),
  );
  const stored = await store.read(known.slice(0, MOST).map(({ id }) => id));
  // What does not count can be written by anybody: it must not stand in the way.
  return (await judgeDeployments(judging, stored)).flatMap(({ state, counted }) => {
    const record = rules.knowsKeys ? counted : state;
    return record === null ? [] : [record];
  });
}
