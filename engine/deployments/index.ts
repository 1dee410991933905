/** Everything that can be done with records of deployments, on one repository. */
import {
  BacktrailError,
  type Coordinates,
  type Finding,
  formatCoordinates,
  type Person,
} from '../model/index.ts';
import { hasPermission } from '../policy/policy.ts';
import { requirePermission } from '../requests/gate/permissions.ts';
import { type RequestContext, rulesOf } from '../requests/context.ts';
import type { SecretScans } from '../snapshot/secrets/raw-secrets.ts';
import { openDeployments } from './append.ts';
import { judgeDeployments } from './counted.ts';
import { deploymentEvents } from './events.ts';
import { findOne, unknownRecord } from './find.ts';
import { recordDeployment } from './record.ts';
import type { DeploymentCache, DeploymentStore, KnownDeployment } from './store.ts';
import { restorable } from './restore.ts';
import type { DeploymentFilter, Deployments, DeploymentView } from './types.ts';
import { viewOf } from './view.ts';

export interface DeploymentsInput {
  readonly cache: DeploymentCache;
  readonly scans: SecretScans;
  readonly open: <Value>(work: (context: RequestContext) => Promise<Value>) => Promise<Value>;
}

export function createDeployments({ cache, scans, open }: DeploymentsInput): Deployments {
  // It is looked at anew each time.
  const at: DeploymentsInput['open'] = (work) =>
    open(async (context) => {
      await context.git.look();
      return work(context);
    });
  const look = async (context: RequestContext) => {
    const snapshot = await context.observe();
    const rules = await rulesOf(context, snapshot);
    const { deployments, commit } = snapshot.layout.config;
    const store = await openDeployments({ context, cache, ref: deployments.ref, signoff: commit.signoff });
    const views = async (
      known: readonly Pick<KnownDeployment, 'id'>[],
      counting = false,
    ): Promise<DeploymentView[]> => {
      const stored = await store.read(known.map(({ id }) => id));
      return (await judgeDeployments({ context, rules, store }, stored)).flatMap((judged) => {
        const state = counting ? judged.counted : judged.state;
        return state === null ? [] : [viewOf({ ...judged, state })];
      });
    };
    const isReadable = (reader: Person) => (known: Coordinates) =>
      hasPermission(rules.policy, reader, 'read', known);
    return { store, rules, views, isReadable, findings: problemsIn(store) };
  };
  return {
    events: (input = {}) => at((context) => deploymentEvents({ context, cache }, input)),
    record: (input) => at((context) => recordDeployment({ context, cache, scans }, input)),
    list: ({ scope, statuses, reader, limit, after, counting, ...filter }) =>
      at(async (context) => {
        const { store, views, isReadable, findings } = await look(context);
        const mayRead = isReadable(reader);
        const isListed = (each: KnownDeployment) => {
          const name = formatCoordinates(each);
          return (
            (statuses === undefined || statuses.includes(each.status)) &&
            (scope === undefined || name === scope || name.startsWith(`${scope}/`)) &&
            isWithin(each, filter) &&
            mayRead(each)
          );
        };
        const last = after === undefined ? null : findOne(store, after);
        // What a page ended with may be none of them any more when the next one is asked for: its place counts.
        const known = store.known((each) => (each.id === last && mayRead(each)) || isListed(each));
        const start = last === null ? 0 : known.findIndex(({ id }) => id === last) + 1;
        if (last !== null && start === 0) throw unknownRecord(after ?? '');
        const end = limit === undefined ? undefined : start + limit;
        const seen = await views(known.slice(start, end), counting);
        // What counts of a record may be of another place than what it says first.
        return { deployments: seen.filter(mayRead), findings };
      }),
    show: ({ id, reader, counting }) =>
      at(async (context) => {
        const { store, rules, views } = await look(context);
        const [found] = await views([{ id: findOne(store, id) }], counting);
        if (found === undefined) throw unknownRecord(id);
        requirePermission(rules.policy, reader, 'read', found);
        return found;
      }),
    restorable: ({ id, reader, orRolledBack = false }) =>
      at(async (context) => {
        const { store, rules } = await look(context);
        const stored = await store.read([findOne(store, id)]);
        const [judged] = await judgeDeployments({ context, rules, store }, stored);
        return restorable({ judged, id, rules, reader, orRolledBack });
      }),
    exists: ({ image, reader, counting = false, ...filter }) =>
      at(async (context) => {
        if (typeof image !== 'string' || image === '')
          throw new BacktrailError('INVALID_REQUEST', 'Name an image, its tag or its digest.');
        const { store, views, isReadable, findings } = await look(context);
        const mayRead = isReadable(reader);
        const known = store.known(
          (each) =>
            each.images.some((name) => isImage(name, image)) && isWithin(each, filter) && mayRead(each),
          JSON.stringify(image).slice(1, -1),
        );
        const seen = await views(known.slice(0, MOST_FOUND), counting);
        // What counts of a record may have other images and be of another place than what it says first.
        const deployments = seen.filter(
          (each) =>
            each.images.some((name) => isImage(name, image)) && isWithin(each, filter) && mayRead(each),
        );
        const exists = deployments.some(({ verified }) => counting || verified);
        return { image, exists, deployments, findings };
      }),
  };
}

const isWithin = (names: Coordinates, { tenant, environment, service }: DeploymentFilter) =>
  (tenant === undefined || (names.tenant ?? null) === tenant) &&
  (environment === undefined || names.environment === environment) &&
  (service === undefined || names.service === service);

const MOST_FOUND = 100;

/** `registry.example.com/api:v2` is also `api:v2` and `v2`. */
const isImage = (name: string, wanted: string) =>
  name === wanted || ['/', ':', '@'].some((before) => name.endsWith(`${before}${wanted}`));

function problemsIn({ problems }: DeploymentStore): Finding[] {
  const [first] = problems;
  if (first === undefined) return [];
  const more = problems.length > 1 ? `, and ${problems.length - 1} more,` : '';
  return [
    {
      code: 'RECORDS_UNREADABLE',
      severity: 'warn',
      message: `${JSON.stringify(first)}${more} is not as Backtrail writes it: left out.`,
      hint: 'Somebody wrote to the records by hand; `git log` of their ref shows who.',
      path: first,
    },
  ];
}
