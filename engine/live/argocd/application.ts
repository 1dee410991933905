/** What an Application of Argo CD says, as values of known types. */
import { conditionTexts } from './conditions.ts';
import { fieldsAt, isFields, listAt, textAt, timeAt, valueAt } from '../read.ts';

export interface Application {
  readonly isDeleted: boolean;
  /** Of which nothing may be believed until it has ended: null, or what it says. */
  readonly running: { readonly revision: string | null; readonly message: string | undefined } | null;
  /** `Succeeded`, `Failed`, `Error`; null where no operation ever was. */
  readonly phase: string | null;
  readonly operationMessage: string | undefined;
  readonly finishedAt: number | null;
  readonly reconciledAt: number | null;
  /** Revisions of sources that are ours: those that the last operation applied, or tried to. */
  readonly applied: readonly string[];
  /** And those that the cluster was compared with. */
  readonly compared: readonly string[];
  /** false: it has several sources, and none is ours. */
  readonly hasSource: boolean;
  /** `Synced`, `OutOfSync` or `Unknown`. */
  readonly sync: string;
  /** `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`. */
  readonly health: string;
  readonly healthMessage: string | undefined;
  readonly isAutomated: boolean;
  readonly resources: readonly unknown[];
  /** What it complains of. */
  readonly errors: readonly string[];
}

export function readApplication(object: unknown, isOurs: (address: string) => boolean): Application {
  const operation = valueAt(object, 'status', 'operationState');
  const result = valueAt(operation, 'syncResult');
  const compared = valueAt(object, 'status', 'sync');
  const source = (holder: unknown) => ourIndexes(holder, valueAt(object, 'spec'), isOurs);
  const toDry = dryRevision(object);
  const revisions = (holder: unknown, indexes: readonly number[] | null) =>
    revisionsOf(holder, indexes).map(toDry);
  const appliedAt = source(result);
  const applied = revisions(result, appliedAt);
  const asked = valueAt(operation, 'operation', 'sync');
  const isDryRun = valueAt(asked, 'dryRun') === true;
  return {
    isDeleted: textAt(object, 'metadata', 'deletionTimestamp') !== undefined,
    running: runningOf(object),
    phase: textAt(operation, 'phase') ?? null,
    operationMessage: textAt(operation, 'message'),
    finishedAt: timeAt(operation, 'finishedAt'),
    reconciledAt: timeAt(object, 'status', 'reconciledAt'),
    applied: isDryRun ? [] : applied.length > 0 ? applied : revisions(asked, appliedAt),
    compared: revisions(compared, source(valueAt(compared, 'comparedTo'))),
    hasSource: source(undefined)?.length !== 0,
    sync: textAt(compared, 'status') ?? 'Unknown',
    health: textAt(object, 'status', 'health', 'status') ?? 'Unknown',
    healthMessage: textAt(object, 'status', 'health', 'message'),
    isAutomated: isAutomated(valueAt(object, 'spec', 'syncPolicy', 'automated')),
    resources: listAt(object, 'status', 'resources'),
    errors: conditionTexts(object),
  };
}

/** An operation is asked for (`operation`) or has begun and not ended (`status.operationState`). */
function runningOf(object: unknown): Application['running'] {
  const operation = valueAt(object, 'status', 'operationState');
  const asked = valueAt(object, 'operation', 'sync');
  if (asked === undefined && (!isFields(operation) || timeAt(operation, 'finishedAt') !== null)) return null;
  const sync = isFields(asked) ? asked : fieldsAt(operation, 'operation', 'sync');
  return {
    revision: textAt(sync, 'revision') ?? textAt(operation, 'syncResult', 'revision') ?? null,
    message: textAt(operation, 'message'),
  };
}

/** Which of several sources are ours; null: there is one, and Git says whether its commit is ours. */
function ourIndexes(
  holder: unknown,
  spec: unknown,
  isOurs: (address: string) => boolean,
): readonly number[] | null {
  const own = listAt(holder, 'sources');
  const sources = own.length > 0 ? own : listAt(spec, 'sources');
  if (sources.length === 0) return null;
  return sources.flatMap((source, index) => (isOurs(textAt(source, 'repoURL') ?? '') ? [index] : []));
}

function revisionsOf(holder: unknown, indexes: readonly number[] | null): string[] {
  const all = listAt(holder, 'revisions');
  const found = indexes === null ? [textAt(holder, 'revision')] : indexes.map((index) => textAt(all, index));
  return found.filter((revision) => revision !== undefined);
}

/** The source hydrator commits what it rendered to another branch: the commit that it rendered is the one that Git knows ours by. */
function dryRevision(object: unknown): (revision: string) => string {
  const last = valueAt(object, 'status', 'sourceHydrator', 'lastSuccessfulOperation');
  const [dry, hydrated] = [textAt(last, 'drySHA'), textAt(last, 'hydratedSHA')];
  return (revision) => (dry !== undefined && revision === hydrated ? dry : revision);
}

const isAutomated = (automated: unknown) => isFields(automated) && automated['enabled'] !== false;
