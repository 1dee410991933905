/** Records as a snapshot gives them to histories, plans and checks: they may fail, and nothing else does then. */
import { type CountedRecord, type Finding, type FailureCode, isFailure, type Scope } from '../model/index.ts';
import { standingAt } from '../history/standings.ts';
import { historyOf } from '../rollback/planning/asked-scope.ts';
import type { Observe } from '../rollback/observe.ts';
import type { RequestContext } from '../requests/context.ts';
import type { DeploymentsPort, Snapshot } from '../snapshot/snapshot.ts';
import { countedRecord, judgeDeployments } from './counted.ts';
import { coordinatesOf, type DeploymentCache, deploymentsAt, textOf } from './store.ts';

export interface PortInput {
  readonly git: RequestContext['git'];
  readonly cache: DeploymentCache;
  /** Only where there are records. */
  readonly open: () => Promise<RequestContext>;
}

export function withDeployments(input: PortInput, snapshot: Snapshot): Snapshot {
  const known = new Map<string, Promise<readonly CountedRecord[]>>();
  const problems: Finding[] = [];
  const records: DeploymentsPort['records'] = (scope) => {
    const { tenant, environment, service } = scope;
    const key = JSON.stringify([tenant, environment, service]);
    const reading =
      known.get(key) ??
      readRecords(input, snapshot, scope).catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        if (problems.length === 0) problems.push(unreadable(error));
        return [];
      });
    known.set(key, reading);
    return reading;
  };
  const found: Snapshot = {
    ...snapshot,
    deployments: {
      records,
      standing: (scope, commit) =>
        standingAt(found, scope, commit, async () => (await historyOf(found, scope)).revisions),
      problems: () => Promise.resolve(problems),
    },
  };
  return found;
}

export function observing(input: PortInput, observe: Observe): Observe {
  return async () => withDeployments(input, await observe());
}

/** Those of the scope, and of its environment, that count. */
async function readRecords(
  { git, cache, open }: PortInput,
  { layout: { config } }: Snapshot,
  scope: Pick<Scope, 'tenant' | 'environment' | 'service'>,
): Promise<readonly CountedRecord[]> {
  const { ref } = config.deployments;
  const tip = await git.ledger.peek(ref);
  if (tip === null) return [];
  const store = await deploymentsAt({ git, ref, cache }, tip);
  const own = store.known(
    ({ tenant, environment, service }) =>
      tenant === scope.tenant &&
      environment === scope.environment &&
      (service === undefined || service === scope.service),
    textOf(scope),
  );
  if (own.length === 0) return [];
  const context = await open();
  const rules = { policy: config.policy, knowsKeys: context.allowedSigners !== null };
  const stored = await store.read(own.map(({ id }) => id));
  return (await judgeDeployments({ context, rules, store }, stored)).flatMap(({ counted }) =>
    counted === null
      ? []
      : [countedRecord(counted, coordinatesOf(counted).service === undefined && scope.service !== undefined)],
  );
}

const unreadable = ({
  code,
  message,
  hint,
}: {
  code: FailureCode;
  message: string;
  hint: string;
}): Finding => ({
  code: 'RECORDS_UNREADABLE',
  severity: 'warn',
  message: `Records of deployments are not considered: ${message} (${code})`,
  hint,
});
