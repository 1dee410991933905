/** Whether a scope is live, as people read it. */
import type { LiveState, LiveStatus, Observation } from '../../../engine/index.ts';
import { oneLine } from '../../terminal/clean.ts';
import { cut, revisionName, short, type Style } from '../style.ts';
import { type Column, table } from '../table.ts';

const COLORS = {
  live: 'green',
  overtaken: 'green',
  progressing: 'yellow',
  pending: 'yellow',
  unconfirmed: 'yellow',
  degraded: 'red',
} as const satisfies Record<LiveState, string>;

const COLUMNS: readonly Column[] = [
  { head: 'state' },
  { head: 'source', drop: 3 },
  { head: 'cluster', drop: 2 },
  { head: 'object', wrap: true },
  { head: 'revision', drop: 1 },
  { head: 'seen (UTC)', drop: 4 },
  { head: 'message', wrap: true },
];

const MEANS: Readonly<Record<LiveState, string>> = {
  live: 'the clusters run it',
  overtaken: 'a later revision runs',
  progressing: 'the clusters are changing to it',
  pending: 'the clusters have not seen it yet',
  unconfirmed: 'it is in Git, and it is not known whether the clusters run it',
  degraded: 'the clusters have it, and it is not well',
};

type Shown = Pick<LiveStatus, 'scope' | 'desired' | 'state' | 'live'>;

export function statusText(style: Style, { scope, desired, state, live }: Shown): string {
  const head = [style.paint('bold', scope), revisionName(desired), stateText(style, state)];
  const rows = live.map((each) => rowOf(style, each));
  return [head.join('  '), ...(rows.length > 0 ? ['', table(style, COLUMNS, rows)] : [])].join('\n');
}

function rowOf(style: Style, { state, source, cluster, object, revision, message, observedAt }: Observation) {
  return [
    style.paint(COLORS[state], state),
    source,
    style.paint('reset', oneLine(cluster)),
    style.paint('reset', oneLine(object)),
    revision === null
      ? ''
      : style.paint(
          'yellow',
          /^[0-9a-f]{40,64}$/.test(revision) ? short(revision) : cut(oneLine(revision), 30),
        ),
    observedAt.slice(11, 19),
    style.paint('reset', oneLine(message)),
  ];
}

/** `degraded: the clusters have it, and it is not well` */
function stateText(style: Style, state: LiveState): string {
  return `${style.paint([COLORS[state], 'bold'], state)}: ${MEANS[state]}`;
}

/** One line while it is waited for: the state, and what says most about it. */
export function waitingText({ state, live }: LiveStatus): string {
  const telling = live.find((each) => each.state === state) ?? live[0];
  const about = telling === undefined ? '' : `  ${telling.object}: ${telling.message}`;
  return `${state}${oneLine(about)}`;
}
