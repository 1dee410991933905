/** Asks a cluster once for all who ask it the same within a short time: ten pages that show one scope are one question. */
import {
  BacktrailError,
  type ClusterAnswer,
  type Clusters,
  type Clock,
  type ObjectQuery,
} from '../../model/index.ts';

/** What one caller asks with: answers of others count where they are young enough. */
export interface Asking {
  readonly clusters: Clusters;
  /** When the oldest answer of a cluster was asked for: milliseconds since 1970. Absent: it was not asked. */
  readonly askedAt: (cluster: string) => number | undefined;
}

export interface SharedClusters {
  /** `maxAge`: milliseconds; 0: everything is asked anew. */
  within(maxAge: number): Asking;
}

interface Question {
  readonly answers: Promise<readonly ClusterAnswer[]>;
  readonly askedAt: number;
  readonly stop: AbortController;
  waiting: number;
  /** null: it is on its way. */
  answeredAt: number | null;
}

/** Questions that are remembered. */
const MOST = 100;

export function shareAnswers(clusters: Clusters, { now }: Pick<Clock, 'now'>): SharedClusters {
  const known = new Map<string, Question>();
  const ask = (key: string, cluster: string, queries: readonly ObjectQuery[]): Question => {
    const stop = new AbortController();
    const answers = clusters.get(cluster, queries, stop.signal);
    const question: Question = { answers, askedAt: now(), stop, waiting: 0, answeredAt: null };
    known.delete(key);
    known.set(key, question);
    for (const oldest of [...known.keys()].slice(0, -MOST)) known.delete(oldest);
    // Whoever waits is told of a failure, and the next one asks anew.
    const forget = () => void (known.get(key) === question && known.delete(key));
    answers.then(() => (question.answeredAt = now()), forget);
    return question;
  };
  const within = (maxAge: number): Asking => {
    if (maxAge === 0) return { clusters, askedAt: () => undefined };
    const times = new Map<string, number>();
    const get: Clusters['get'] = async (cluster, queries, signal) => {
      const key = JSON.stringify([cluster, queries]);
      const found = known.get(key);
      const isYoung = found && (found.answeredAt === null || now() - found.answeredAt <= maxAge);
      const question = isYoung && !found.stop.signal.aborted ? found : ask(key, cluster, queries);
      times.set(cluster, Math.min(question.askedAt, times.get(cluster) ?? question.askedAt));
      return waitFor(question, signal);
    };
    return { clusters: { ...clusters, get }, askedAt: (cluster) => times.get(cluster) };
  };
  return { within };
}

/** Nobody is asked for whoever has gone, where nobody else waits. */
async function waitFor(question: Question, caller?: AbortSignal): Promise<readonly ClusterAnswer[]> {
  // One of its own: a caller may wait for more clusters than a signal likes to have listeners.
  const signal = caller && AbortSignal.any([caller]);
  let leave = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => reject(new BacktrailError('INTERRUPTED', 'Asking a cluster was stopped.'));
  });
  question.waiting += 1;
  signal?.addEventListener('abort', leave, { once: true });
  try {
    if (signal?.aborted) leave();
    return await Promise.race([question.answers, left]);
  } finally {
    signal?.removeEventListener('abort', leave);
    question.waiting -= 1;
    if (question.waiting === 0 && question.answeredAt === null) question.stop.abort();
  }
}
