import type {
  ClusterAnswer,
  ClusterObject,
  LiveRule,
  LiveTarget,
  Relation,
} from '../../../../engine/model/index.ts';
import type { DeclaredObject, Observer, ObserverContext } from '../../../../engine/live/observer.ts';

const id = (text: string) => text.repeat(40).slice(0, 40);

/** A line of commits, oldest first, of which `ours` is to run; and what is not on it. */
export const commits = { before: id('b'), ours: id('0a'), later: id('1a'), other: id('e'), unknown: id('f') };
const RELATIONS: Readonly<Record<string, Relation>> = {
  [commits.before]: 'before',
  [commits.ours]: 'contains',
  [commits.later]: 'contains',
  [commits.other]: 'elsewhere',
};

export const ADDRESS = 'https://git.example/acme/gitops.git';

export const rule = (of: Partial<LiveRule>): LiveRule => ({
  match: '**',
  cluster: 'prod-eu',
  withinMs: 600_000,
  nudge: false,
  argocd: null,
  flux: null,
  kubernetes: null,
  ...of,
});

export const target = (of: Partial<LiveTarget> & Pick<LiveTarget, 'rule'>): LiveTarget => ({
  tenant: 'acme',
  environment: 'production',
  service: 'api',
  desired: { commit: commits.ours, version: 3 },
  contains: commits.ours,
  next: null,
  hasArrived: false,
  since: '2026-11-20T10:00:00Z',
  ...of,
});

export const context = (of: Partial<ObserverContext> = {}): ObserverContext => ({
  relation: async (revision) => RELATIONS[revision] ?? 'unknown',
  isOurs: (address) => address === ADDRESS,
  isLater: async (revision) => revision === commits.later,
  manifests: async () => [],
  now: Date.parse('2026-11-20T10:05:00Z'),
  ...of,
});

export const found = (...objects: readonly object[]): ClusterAnswer => ({
  objects: objects.map((object): ClusterObject => ({ ...object })),
  problem: null,
});

export const declared = (value: object, path = 'api.yaml'): DeclaredObject => {
  const object = JSON.parse(JSON.stringify(value));
  const { namespace = null, name } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, namespace, name, path, value: object };
};

/** What an observer says of answers, and of answers to what else it asks. */
export async function judged(
  observer: Observer,
  {
    of,
    answers,
    details = [],
    given = {},
  }: {
    readonly of: LiveTarget;
    readonly answers: readonly ClusterAnswer[];
    readonly details?: readonly ClusterAnswer[];
    readonly given?: Partial<ObserverContext>;
  },
) {
  return observer.judge({ target: of, answers, details, context: context(given) });
}
