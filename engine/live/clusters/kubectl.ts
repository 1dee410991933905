/** A cluster through kubectl: every login plugin of the user works, and only `get` and one `annotate` are ever said. */
import { homedir } from 'node:os';
import { delimiter, isAbsolute } from 'node:path';
import { run } from '../../git/process/spawn.ts';
import {
  type BacktrailError,
  type ClusterAnswer,
  type ClusterObject,
  type ClusterProblem,
  isFailure,
  type ObjectQuery,
} from '../../model/index.ts';
import { indexOf, readObjects } from './answers.ts';
import { problemOf } from './kubectl-problems.ts';
import type { KubernetesEntry } from './operator.ts';
import { narrower, type Question, questionsFor } from './questions.ts';
import type { InTurn } from './turns.ts';

export interface Kubectl {
  readonly entry: KubernetesEntry;
  /** What kubectl and its login plugins see. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Of the cluster. */
  readonly inTurn: InTurn;
}

/** One run of kubectl makes several requests, and starts. */
const RUN_TIMES = 3;
/** 10,000 objects of a usual size. */
const ANSWER_BYTES = 96 * 1024 * 1024;
/** Runs at the same time, for one question and for all. */
export const CONCURRENCY = 4;
/** Of one cluster in one look. */
const MOST_RUNS = 200;

type Known = ClusterAnswer & { readonly query: ObjectQuery };

/** Answers by query. Rejects with INTERRUPTED alone. */
export async function getObjects(
  kubectl: Kubectl,
  queries: readonly ObjectQuery[],
): Promise<ReadonlyMap<ObjectQuery, ClusterAnswer>> {
  const found = new Map<ObjectQuery, ClusterAnswer>();
  const waiting = [...questionsFor(queries)];
  let runs = 0;
  let hasAnswered = false;
  let away: { readonly problem: ClusterProblem } | null = null;
  const answerNext = async (): Promise<boolean> => {
    const question = waiting.shift();
    if (question === undefined) return false;
    const answer = away ?? ((runs += 1) > MOST_RUNS ? TOO_MUCH : await ask(kubectl, question));
    // One kind alone may be away, where another server of the cluster answers for it.
    if (!('problem' in answer) || !isAway(answer.problem)) hasAnswered = true;
    else if (!hasAnswered) away = answer;
    const parts = 'problem' in answer && isDivisible(answer.problem) ? narrower(question) : [];
    if (parts.length > 0) waiting.push(...parts);
    else for (const { query, ...known } of answersTo(question, answer)) found.set(query, known);
    return true;
  };
  const work = async (): Promise<void> => {
    while (await answerNext());
  };
  // One at first: a cluster that is away is asked once.
  await answerNext();
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return found;
}

/** Whatever else is asked is not answered either. */
const isAway = ({ code }: ClusterProblem) =>
  code === 'CLUSTER_AWAY' ||
  code === 'CLUSTER_BUSY' ||
  code === 'CLUSTER_UNKNOWN' ||
  code === 'KUBECTL_MISSING';

/** @throws INTERRUPTED */
export async function annotateObject(
  kubectl: Kubectl,
  { namespace, name, ...type }: ObjectQuery & { readonly name: string },
  { key, value }: { readonly key: string; readonly value: string },
): Promise<ClusterProblem | null> {
  const [question] = questionsFor([{ ...type, namespace, name }]);
  if (question === undefined) return null;
  const space = namespace === null ? [] : ['--namespace', namespace];
  const answer = await say(kubectl, [
    'annotate',
    '--overwrite',
    ...space,
    ...question.words,
    `${key}=${value}`,
  ]);
  return 'problem' in answer ? answer.problem : null;
}

export async function mayPatch(
  kubectl: Kubectl,
  { resource, namespace }: { readonly resource: string; readonly namespace: string | null },
): Promise<boolean> {
  const space = namespace === null ? [] : ['--namespace', namespace];
  const said = await say(kubectl, ['auth', 'can-i', 'patch', resource, ...space]);
  return 'text' in said && said.text.trim() === 'yes';
}

/** Of one kind or namespace, it may be answered all the same. */
const isDivisible = ({ code }: ClusterProblem) =>
  code === 'CLUSTER_DENIED' || code === 'RESOURCE_UNKNOWN' || code === 'CLUSTER_TOO_MUCH';

type Said = { readonly text: string } | { readonly problem: ClusterProblem };
type Asked = { readonly objects: readonly ClusterObject[] } | { readonly problem: ClusterProblem };

const TOO_MUCH = {
  problem: {
    code: 'CLUSTER_TOO_MUCH',
    message: 'There is more to ask of the cluster than is asked at once.',
  },
} as const;

async function ask(kubectl: Kubectl, { of, namespace, words }: Question): Promise<Asked> {
  const isNamed = words.some((word) => word.includes('/'));
  const said = await say(kubectl, [
    'get',
    '--output=json',
    ...(isNamed ? ['--ignore-not-found'] : []),
    ...(of === 'all' ? ['--all-namespaces'] : []),
    ...(namespace === null ? [] : ['--namespace', namespace]),
    ...(isNamed ? words : [words.join(',')]),
  ]);
  if ('problem' in said) return said;
  const objects = readObjects(said.text);
  return objects === null
    ? { problem: { code: 'CLUSTER_NONSENSE', message: 'The cluster answers what is no list of objects.' } }
    : { objects };
}

function answersTo({ queries }: Question, answer: Asked): readonly Known[] {
  if ('problem' in answer) return queries.map((query) => ({ query, objects: null, problem: answer.problem }));
  const find = indexOf(answer.objects);
  return queries.map((query) => ({ query, objects: find(query), problem: null }));
}

async function say({ entry, env, signal, inTurn }: Kubectl, args: readonly string[]): Promise<Said> {
  const { context, kubeconfig, timeoutSeconds } = entry;
  try {
    const task = {
      program: 'kubectl',
      args: [
        `--context=${context}`,
        ...(kubeconfig === null ? [] : [`--kubeconfig=${kubeconfig}`]),
        `--request-timeout=${timeoutSeconds}s`,
        ...args,
      ],
      // A folder that no repository writes to.
      cwd: homedir(),
      env: environment(env),
      timeoutMs: timeoutSeconds * RUN_TIMES * 1000,
      maxBytes: ANSWER_BYTES,
      okCodes: [0, 1],
      ...(signal && { signal }),
    };
    const { code, stdout, stderr } = await inTurn(() => run(task));
    return code === 0 ? { text: stdout.toString('utf8') } : { problem: problemOf(stderr) };
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (signal?.aborted === true) throw signal.reason;
    return { problem: failureOf(error, timeoutSeconds * RUN_TIMES) };
  }
}

function failureOf(
  { code, details }: Pick<BacktrailError, 'code' | 'details'>,
  seconds: number,
): ClusterProblem {
  if (code === 'GIT_MISSING')
    return { code: 'KUBECTL_MISSING', message: 'kubectl is not installed where this runs.' };
  if (code === 'GIT_TIMEOUT')
    return { code: 'CLUSTER_AWAY', message: `The cluster gave no answer in ${seconds} s.` };
  if (details['limit'] !== undefined) return TOO_MUCH.problem;
  return { code: 'CLUSTER_NONSENSE', message: 'kubectl failed for a reason that is not known.' };
}

/** All that login plugins may need, with a search path without relative folders, and nothing of Backtrail's own. */
function environment(env: Kubectl['env']): Record<string, string> {
  const kept = Object.entries(env).flatMap(([name, value]) =>
    value === undefined || name.startsWith('BACKTRAIL_') ? [] : [[name, value] as const],
  );
  const path = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute).join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path, LC_ALL: 'C.UTF-8' };
}
