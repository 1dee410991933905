/** Whether the ledger holds what its actors were told, told by git and a second, smaller state machine. */
import { isDeepStrictEqual } from 'node:util';
import { readRequestEvents } from '../../../engine/record/ledger-file.ts';
import { foldRequest } from '../../../engine/record/transitions.ts';
import { type Answer, LEDGER } from './answers.ts';
import { explain, type Life, RECORDED } from './explain.ts';
import { type LedgerCommit, type LedgerFile, readCommits, readFiles, type RecordedEvent } from './ledger.ts';
import { git } from './repository.ts';

export interface Checked {
  readonly events: number;
  readonly requests: number;
  /** Sentences; none where all is well. */
  readonly problems: readonly string[];
}

export function checkLedger(directory: string, answers: readonly Answer[]): Checked {
  const commits = readCommits(directory);
  const files = readFiles(directory, [
    ...new Set(commits.flatMap(({ changes }) => changes.map(({ blob }) => blob))),
  ]);
  const walked = walk(commits, files);
  return {
    events: commits.reduce((sum, { eventIds }) => sum + eventIds.length, 0),
    requests: walked.lives.size,
    problems: [
      ...shapeProblems(directory, commits),
      ...walked.problems,
      ...[...walked.newest].flatMap(([path, file]) => foldProblems(path, file)),
      ...lostProblems(answers, walked.lives),
      ...explain(answers, walked.lives, new Map(commits.map(({ id }, index) => [id, index + 1]))),
    ],
  };
}

/** One line of commits from one root, and nothing that git complains about. */
function shapeProblems(directory: string, commits: readonly LedgerCommit[]): string[] {
  const reachable = Number(git(directory, ['rev-list', '--count', LEDGER]));
  const roots = git(directory, ['rev-list', '--max-parents=0', LEDGER]).trim().split('\n');
  const fsck = git(directory, ['fsck', '--strict', '--no-dangling', '--no-progress']).trim();
  return [
    ...(reachable === commits.length
      ? []
      : [`${reachable} commits, ${commits.length} on the first-parent line`]),
    ...(roots.length === 1 ? [] : [`${roots.length} roots`]),
    ...commits.filter(({ parents }) => parents.length > 1).map(({ id }) => `${id} is a merge`),
    ...(fsck === '' ? [] : [`git fsck: ${fsck}`]),
  ];
}

/** Each commit adds exactly the events that it names, each to the end of one file. */
function walk(commits: readonly LedgerCommit[], files: ReadonlyMap<string, LedgerFile>) {
  const problems: string[] = [];
  const newest = new Map<string, LedgerFile>();
  const lives = new Map<string, Life>();
  const seen = new Set<string>();
  for (const [index, { id, eventIds, changes }] of commits.entries()) {
    if (changes.length === 0 || changes.length !== eventIds.length)
      problems.push(`${id} names ${eventIds.length} events and changes ${changes.length} files`);
    for (const { path, blob } of changes) {
      const file = files.get(blob);
      const before: readonly RecordedEvent[] = newest.get(path)?.events ?? [];
      const event = file?.events.at(-1);
      if (file === undefined || event === undefined) {
        problems.push(`${id} removes ${path}`);
        continue;
      }
      if (!isDeepStrictEqual(file.events.slice(0, -1), before))
        problems.push(`${id} does not extend ${path} by one event`);
      if (!eventIds.includes(event.id)) problems.push(`${id} does not name ${event.id}, which it holds`);
      if (seen.has(event.id)) problems.push(`${event.id} is there twice`);
      seen.add(event.id);
      newest.set(path, file);
      const request = /rbk-\w+(?=\.json$)/.exec(path)?.[0];
      if (request === undefined) continue;
      const life = lives.get(request) ?? [];
      lives.set(request, [...life, { position: index + 1, event }]);
    }
  }
  return { problems, newest, lives };
}

/** The engine's own fold here: whether that is right, the second state machine says. */
function foldProblems(path: string, { state, text }: LedgerFile): string[] {
  const folded: unknown = JSON.parse(JSON.stringify(foldRequest(readRequestEvents(text, path))));
  return isDeepStrictEqual(folded, state) ? [] : [`${path} is not what its events make`];
}

/** What someone was told that it is recorded, is recorded. */
function lostProblems(answers: readonly Answer[], lives: ReadonlyMap<string, Life>): string[] {
  return answers
    .filter(({ refused }) => refused === null)
    .filter(({ request, event, operation, actor }) => {
      const own = (lives.get(request) ?? []).filter(
        (entry) =>
          entry.event.type === RECORDED[operation] &&
          entry.event.actor.email === actor &&
          (event === null || entry.event.id === event),
      );
      return own.length !== 1;
    })
    .map(
      ({ operation, request, actor, event }) =>
        `${operation} of ${request} by ${actor} (${event}) is not there exactly once`,
    );
}
