/** Whether the clusters that the configuration names can be asked from here, and annotated where it says so. */
import { createClusters, type NudgeableClusters } from '../live/clusters/clusters.ts';
import { readClusters } from '../live/clusters/operator.ts';
import type { Check, Clock, Config, LiveRule, ObjectQuery } from '../model/index.ts';
import { settled } from './attempt.ts';

const NAME = 'clusters';

const said = (status: Check['status'], what: Omit<Check, 'area' | 'name' | 'status'>): Check => ({
  area: 'publishing',
  name: NAME,
  status,
  ...what,
});

interface Place {
  readonly config: Pick<Config, 'live'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Nothing where no cluster is named: without one, a rollback is complete all the same. */
export async function checkClusters({ config: { live }, env, clock }: Place): Promise<Check[]> {
  if (live.length === 0) return [];
  const path = env['BACKTRAIL_CLUSTERS'] ?? '';
  if (path === '')
    return [
      said('warn', {
        message: 'The configuration says which clusters run it, and none can be asked from here.',
        hint: 'Name a file in BACKTRAIL_CLUSTERS that says how they are reached, where workers run and where people ask: docs/live.md.',
      }),
    ];
  const read = await settled(readClusters(path));
  if ('error' in read) return [said('fail', { message: read.error.message, hint: read.error.hint })];
  const clusters = createClusters({ env, clock, signal: new AbortController().signal });
  const names = [...new Set(live.map(({ cluster }) => cluster))];
  const checks = await Promise.all(
    names.map((name) =>
      checkOne(
        clusters,
        name,
        live.filter(({ cluster }) => cluster === name),
      ),
    ),
  );
  return checks.flat();
}

/** Of an object that is not there: whether one may be asked for is what the answer says. */
const PROBE = 'backtrail-doctor';

async function checkOne(
  clusters: NudgeableClusters,
  name: string,
  rules: readonly LiveRule[],
): Promise<Check[]> {
  const queries = rules.flatMap(queriesOf);
  const answers = await clusters.get(name, queries);
  const problems = [
    ...new Map(answers.flatMap(({ problem }) => (problem ? [[problem.message, problem]] : []))).values(),
  ];
  const asked = problems.map(({ code, message }) =>
    said('warn', {
      message: `The cluster ${name} does not say whether a revision is live. ${message}`,
      hint: HINTS[code] ?? 'Rollbacks are complete without it; docs/live.md says what it needs.',
      details: { code },
    }),
  );
  const checks =
    asked.length > 0
      ? asked
      : [said('ok', { message: `The cluster ${name} can be asked whether a revision is live.` })];
  const nudged = rules.filter(({ nudge }) => nudge).flatMap(nudgedBy);
  if (nudged.length === 0 || asked.length > 0) return checks;
  const refused = [];
  for (const { kind, namespace } of nudged)
    if (!(await clusters.mayPatch(name, { resource: PLURALS[kind] ?? '', namespace }))) refused.push(kind);
  return refused.length === 0
    ? checks
    : [
        ...checks,
        said('warn', {
          message: `\`nudge\` cannot annotate in ${name}: the verb patch is not allowed for ${[...new Set(refused)].join(', ')}.`,
          hint: 'Allow it to the credentials, or leave `nudge` out: what reconciles looks by itself, a few minutes later.',
        }),
      ];
}

const HINTS: Readonly<Record<string, string>> = {
  CLUSTER_UNKNOWN: 'List it in the file that BACKTRAIL_CLUSTERS names: docs/live.md shows one.',
  KUBECTL_MISSING: 'Install kubectl: https://kubernetes.io/docs/tasks/tools/.',
};

const PLURALS: Readonly<Record<string, string>> = {
  Application: 'applications.argoproj.io',
  Kustomization: 'kustomizations.kustomize.toolkit.fluxcd.io',
  // What a Kustomization is fetched from, mostly.
  GitRepository: 'gitrepositories.source.toolkit.fluxcd.io',
};

const nudgedBy = (rule: LiveRule) =>
  queriesOf(rule)
    .filter(({ kind }) => Object.hasOwn(PLURALS, kind))
    .flatMap(({ kind, namespace }) => [
      ...(kind === 'Kustomization' ? [{ kind: 'GitRepository', namespace }] : []),
      { kind, namespace },
    ]);

function queriesOf({ argocd, flux, kubernetes }: LiveRule): ObjectQuery[] {
  // A name with placeholders is that of a scope.
  const plain = (namespace: string | null) =>
    namespace === null || /[{}]/.test(namespace) ? 'default' : namespace;
  const query = (apiVersion: string, kind: string, namespace: string | null): ObjectQuery => ({
    apiVersion,
    kind,
    namespace: plain(namespace),
    name: PROBE,
  });
  return [
    ...(argocd ? [query('argoproj.io/v1alpha1', 'Application', argocd.namespace)] : []),
    ...(flux ? [query('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', flux.namespace)] : []),
    ...(kubernetes ? [query('apps/v1', 'Deployment', kubernetes.namespace)] : []),
  ];
}
