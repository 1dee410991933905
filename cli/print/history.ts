import {
  type Comparison,
  type EnvironmentEntry,
  formatCoordinates,
  type History,
  type HistoryEntry,
  type LogEntry,
  type Recorded,
  type Recurring,
  quotePath,
  type ResumeEntry,
  type Shown,
} from '../../engine/index.ts';
import { printChanges } from './changes.ts';
import { printFindings } from './plan.ts';
import { minute, revisionName, short, shortDigest, type Style } from './style.ts';
import { type Column, table } from './table.ts';

export function environmentsText(style: Style, entries: readonly EnvironmentEntry[]): string {
  if (entries.length === 0) return 'The layout finds no environment in this repository.';
  return table(
    style,
    [{}, { wrap: true }],
    entries.map(({ services, ...coordinates }) => [
      style.paint('bold', formatCoordinates(coordinates)),
      services.length === 0 ? style.paint('dim', 'no services') : style.paint('reset', services.join(', ')),
    ]),
  );
}

const COLUMNS: readonly Column[] = [
  {},
  { head: 'commit' },
  { head: 'time (UTC)', drop: 1 },
  { head: 'author', drop: 3 },
  { head: 'source', drop: 4 },
  { head: 'content', wrap: true, drop: 2 },
  { head: 'subject', wrap: true },
];
/** Where anything is recorded of deployments. */
const STATUS: Column = { head: 'status', drop: 2 };

export function historyText(style: Style, { scope, revisions, total, findings }: History): string {
  if (total === 0)
    return [`${formatCoordinates(scope)} has no revisions.`, ...printFindings(style, findings)].join('\n');
  const isRecorded = revisions.some(({ status }) => status !== 'unknown' && status !== 'rolledBack');
  const rows = revisions.map((entry) => [
    style.paint(entry.current ? ['bold', 'green'] : entry.undoneBy ? 'dim' : 'bold', `v${entry.version}`),
    style.paint('yellow', short(entry.commit)),
    minute(entry.time),
    style.paint('reset', entry.author.name),
    entry.source,
    ...(isRecorded ? [statusText(style, entry)] : []),
    style.paint('reset', shortDigest(style, note(entry))),
    [...breakGlassMark(style, entry), style.paint(entry.undoneBy ? 'dim' : 'reset', entry.subject)].join(' '),
  ]);
  const more =
    total > revisions.length ? `\n… ${total - revisions.length} older; --limit ${total} shows all` : '';
  const columns = isRecorded ? [...COLUMNS.slice(0, 5), STATUS, ...COLUMNS.slice(5)] : COLUMNS;
  return [table(style, columns, rows) + more, ...printFindings(style, findings)].join('\n');
}

function statusText(style: Style, { status, eligible }: HistoryEntry): string {
  const text = status === 'rolledBack' ? 'rolled back' : status === 'unknown' ? '' : status;
  return style.paint(eligible ? 'reset' : 'red', text);
}

/** Of a rollback that went ahead without approval. */
const breakGlassMark = (style: Style, { breakGlass }: HistoryEntry) =>
  breakGlass === null ? [] : [style.paint(['red', 'bold'], 'BREAK-GLASS')];

function note({ identity, current, rolledBackBy, undoneBy }: HistoryEntry): string {
  const what = [...identity.charts, ...identity.images].map((name) => name.split('/').at(-1) ?? name);
  const content = what.length > 2 ? `${what.slice(0, 2).join(', ')}, …` : what.join(', ');
  const how = rolledBackBy ? 'rolled back' : 'reverted';
  const state = current ? 'current' : undoneBy ? `${how} by ${short(undoneBy)}` : '';
  return [content, state].filter((part) => part !== '').join(' · ');
}

export function showText(style: Style, { scope, revision, files }: Shown): string {
  const head = `${style.paint('bold', formatCoordinates(scope))} at ${revisionName(revision)}`;
  const blocks = files.map(({ path, selector, text, kept }) => {
    const name = selector === undefined ? quotePath(path) : `${quotePath(path)}#${selector}`;
    const mark = kept === undefined ? '' : style.paint('dim', `  (kept: ${kept})`);
    return `${style.paint('cyan', name)}${mark}\n${text === null ? '  (not text)' : style.paint('reset', text.replace(/\r\n/g, '\n').replace(/^(?=.)/gm, '  '))}`;
  });
  return [head, ...(blocks.length > 0 ? blocks : ['There was nothing.'])].join('\n\n');
}

export function compareText(style: Style, { scope, from, to, changes }: Comparison): string {
  const head = `${style.paint('bold', formatCoordinates(scope))} from ${revisionName(from)} to ${revisionName(to)}`;
  return [head, '', ...(changes.length > 0 ? printChanges(style, changes) : ['No difference.'])].join('\n');
}

export function recurringText(style: Style, found: readonly Recurring[]): string {
  if (found.length === 0) return 'No scope goes back to the same revision again and again.';
  return found
    .map(({ scope, mode, fields, target, rollbacks }) =>
      [
        `${style.paint('bold', scope)} (${mode}) → ${short(target)}  ${rollbacks.length} times`,
        ...fields.map((field) => `         field ${style.paint('reset', field)}`),
        ...rollbacks.map(
          ({ commit, time, author, reason, requestId }) =>
            `         ${style.paint('yellow', short(commit))}  ${minute(time)}  ${requestId}  ${style.paint('reset', `${author.name}: ${reason}`)}`,
        ),
      ].join('\n'),
    )
    .join('\n');
}

export function logText(style: Style, { rollbacks, resumes, unlisted, unjudged, next }: Recorded): string {
  const told = [
    ...rollbacks.map((entry) => ({ time: entry.time, text: rollbackText(style, entry) })),
    ...resumes.map((entry) => ({ time: entry.time, text: resumeText(style, entry) })),
  ];
  // Of the same second, a resume came later: there was something to lift.
  const order = [...told.slice(rollbacks.length), ...told.slice(0, rollbacks.length)];
  const entries = order
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
    .map(({ text }) => text);
  const others = unlisted.map((row) => unlistedText(style, row));
  if (entries.length + others.length === 0) return 'No rollback is recorded on this branch.';
  const doubts = doubtsText([...rollbacks, ...resumes], unjudged);
  const more = next === null ? [] : [`There are more: --after ${next}`];
  return [...others, ...entries, ...[...doubts, ...more].map((line) => style.paint('dim', line))].join('\n');
}

function unlistedText(
  style: Style,
  { commit, scope, requestId, problems }: Recorded['unlisted'][number],
): string {
  return [
    `${style.paint('yellow', short(commit))}  ${style.paint('bold', scope || 'no scope')} (not in this list)`,
    `         ${requestId}`,
    ...problems.map(({ code, message }) => style.paint('red', `         ! ${code}: ${message}`)),
  ].join('\n');
}

/** What this list does not say. */
function doubtsText(
  entries: readonly { readonly verdict?: string }[],
  unjudged: Recorded['unjudged'],
): string[] {
  const count = (is: (verdict: string | undefined) => boolean) =>
    entries.filter(({ verdict }) => is(verdict)).length;
  const [unknown, left] = [
    count((verdict) => verdict === 'unverifiable'),
    count((verdict) => verdict === undefined),
  ];
  if (unjudged) return [`None was made again: ${unjudged.message} (${unjudged.code})`];
  return [
    ...(unknown > 0 ? [`${unknown} cannot be judged here; \`backtrail audit verify\` says why.`] : []),
    ...(left > 0 && left < entries.length
      ? [`The ${left} oldest were not made again; \`backtrail audit verify\` does.`]
      : []),
  ];
}

function resumeText(style: Style, entry: ResumeEntry): string {
  const { commit, time, author, scope, reason, requestId, holds, problems } = entry;
  return [
    `${style.paint('yellow', short(commit))}  ${minute(time)}  ${style.paint('bold', scope)} resumed`,
    `         ${style.paint('reset', `${author.name} <${author.email}>: ${reason}`)}`,
    `         ${requestId}`,
    ...arrivalLines(style, entry),
    ...holds.map((path) => `         hold ${style.paint('reset', path)}`),
    ...problems.map((problem) => style.paint('red', `         ! ${problem}`)),
  ].join('\n');
}

function manifestsText({ commit, deliveryCommit }: LogEntry): string {
  if (deliveryCommit === null) return '';
  return deliveryCommit === commit ? ', manifests with it' : `, manifests in ${short(deliveryCommit)}`;
}

function arrivalLines(style: Style, { via, pullRequest }: Pick<LogEntry, 'via' | 'pullRequest'>): string[] {
  if (via === undefined) return [];
  const of = pullRequest ? ` of pull request ${pullRequest.number}, ${pullRequest.url}` : '';
  return [`         by ${via}${style.paint('reset', of)}`];
}

function rollbackText(style: Style, entry: LogEntry): string {
  const { commit, time, author, mode, scope, reason, requestId, record, problems } = entry;
  return [
    `${style.paint('yellow', short(commit))}  ${minute(time)}  ${style.paint('bold', scope)} (${mode}) → ${short(record.target)}`,
    `         ${style.paint('reset', `${author.name} <${author.email}>: ${reason}`)}`,
    `         ${requestId}${manifestsText(entry)}`,
    ...arrivalLines(style, entry),
    ...(record.breakGlass === undefined
      ? []
      : [
          `         ${style.paint(['red', 'bold'], 'BREAK-GLASS')} ${style.paint('reset', record.breakGlass)}`,
        ]),
    ...record.approvals.map((approval) => `         ${style.paint('reset', approval)}`),
    ...record.fields.map((field) => `         field ${style.paint('reset', field)}`),
    ...(record.overrides ?? []).map((code) => `         overrides ${style.paint('reset', code)}`),
    ...(record.holds ?? []).map((path) => `         hold ${style.paint('reset', path)}`),
    ...problems.map((problem) => style.paint('red', `         ! ${problem}`)),
  ].join('\n');
}
