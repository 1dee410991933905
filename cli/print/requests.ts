/** Requests as people read them. */
import {
  type Arrived,
  type Authentication,
  type Person,
  type RequestStatus,
  type RequestView,
  type ReviewView,
  spanText,
} from '../../engine/index.ts';
import { oneLine } from '../terminal/clean.ts';
import { approvalText } from './approval.ts';
import { pullRequestText } from './pull-request.ts';
import { cut, minute, revisionName, short, shortDigest, type Style } from './style.ts';
import { type Column, table } from './table.ts';

const COLORS: Readonly<Record<RequestStatus, 'yellow' | 'green' | 'red' | 'dim'>> = {
  pending: 'yellow',
  approved: 'yellow',
  executing: 'yellow',
  completed: 'green',
  failed: 'red',
  rejected: 'red',
  superseded: 'dim',
  expired: 'dim',
  cancelled: 'dim',
};

const COLUMNS: readonly Column[] = [
  { head: 'request' },
  { head: 'status' },
  { head: 'approvals', drop: 2 },
  { head: 'scope', wrap: true },
  { head: 'to', drop: 1 },
  { head: 'author', drop: 4 },
  { head: 'asked (UTC)', drop: 5 },
  { head: 'why', wrap: true, drop: 3 },
];

export function requestsText(
  style: Style,
  requests: readonly RequestView[],
  { all, next }: { all: boolean; next: string | null },
): string {
  if (requests.length === 0 && next === null)
    return all ? 'Nothing was requested yet.' : 'No request is open; --all shows those that ended.';
  const rows = table(
    style,
    COLUMNS,
    requests.map((request) => row(style, request)),
  );
  return next === null ? rows : `${rows}\n${style.paint('dim', `There are more: --after ${next}`)}`;
}

function row(style: Style, request: RequestView): string[] {
  const { id, status, scopeName, rollbackOf, author, createdAt, justification, approval } = request;
  return [
    style.paint('bold', id),
    [
      style.paint(COLORS[status], status),
      ...(request.problems ? [style.paint(['red', 'bold'], '(not as the branch is)')] : []),
      ...proposedMark(request),
      ...breakGlassMark(style, request),
    ].join(' '),
    status === 'pending' ? `${approval.have} of ${approval.need}` : '',
    style.paint('reset', [scopeName, ...fieldsText(request)].join(' ')),
    request.resume ? 'resume' : revisionName(rollbackOf),
    style.paint('reset', author.email),
    minute(createdAt),
    style.paint('reset', cut(oneLine(justification), 72)),
  ];
}

/** As many as a line takes; `request show` has all of them. */
const FIELDS = 3;

function fieldsText({ scope: { fields = [] } }: RequestView): string[] {
  if (fields.length === 0) return [];
  const shown = fields.slice(0, FIELDS).map((field) => cut(oneLine(field), 60));
  const more = fields.length > FIELDS ? [`and ${fields.length - FIELDS} more`] : [];
  return [`(${[...shown, ...more].join(', ')})`];
}

/** What an open request waits for, where that is not a worker of this place. */
function proposedMark({ status, proposed, pullRequest, elsewhere }: RequestView): string[] {
  if (elsewhere && (status === 'pending' || status === 'approved')) return ['(for another place)'];
  if ((status !== 'approved' && status !== 'executing') || proposed === null) return [];
  return [pullRequest ? `(${pullRequestText(pullRequest)})` : '(branch)'];
}

/** The mark of a request that was executed without approval. */
function breakGlassMark(style: Style, { breakGlass }: Pick<RequestView, 'breakGlass'>): string[] {
  if (breakGlass === null) return [];
  const open = breakGlass.review === null ? ' (review open)' : '';
  return [style.paint(['red', 'bold'], `BREAK-GLASS${open}`)];
}

/** Everything about one request. */
export function requestText(style: Style, request: RequestView): string {
  const { id, status, message, reviews, notes, reopened } = request;
  const known = facts(style, request);
  const width = Math.max(11, ...known.map(([name]) => name.length));
  const head = [
    style.paint('bold', id),
    style.paint([COLORS[status], 'bold'], status),
    ...breakGlassMark(style, request),
  ];
  return [
    head.join('  '),
    style.paint('reset', oneLine(message)),
    ...(request.problems ?? []).map((problem) => style.paint('red', `! ${oneLine(problem)}`)),
    ...known.map(([name, text]) => `  ${name.padEnd(width)} ${style.paint('reset', oneLine(text))}`),
    ...section(
      style,
      'Reviews',
      reviews.map((review) => reviewLine(style, review, request)),
    ),
    ...(reopened === null || status !== 'pending'
      ? []
      : section(style, 'Reviewers are asked again', [
          style.paint('reset', `${minute(reopened.at)}  ${oneLine(reopened.reason)}`),
          ...reopened.difference.map((line) => style.paint('dim', `  ${oneLine(line)}`)),
        ])),
    ...section(
      style,
      'Notes',
      notes.map(({ at, kind, actor, text }) =>
        style.paint('reset', `${minute(at)}  ${kind}  ${personText(actor)}: ${oneLine(text)}`),
      ),
    ),
    ...next(style, request),
  ].join('\n');
}

function facts(style: Style, request: RequestView): (readonly [name: string, text: string])[] {
  const { scope, scopeName, author, authorIdentity, createdAt, expiresAt, status, result, breakGlass } =
    request;
  const { base, digest, affectedServices, follows, supersededBy, config, approval } = request;
  const { incident, atomic } = request;
  const unverified = authorIdentity === 'verified' ? '' : ' (identity unverified)';
  const by = authenticationText(request.authenticated);
  const until = status === 'pending' && expiresAt !== null ? `, expires ${minute(expiresAt)}` : '';
  const facts: (readonly [string, string | null])[] = [
    ['why', request.justification],
    ['author', `${personText(author)}${by}${unverified}`],
    ['asked', `${minute(createdAt)}${until}`],
    ['scope', `${scopeName} (${scope.mode})`],
    ...(scope.fields ?? []).map((field) => ['field', field] as const),
    ['target', targetText(request)],
    ['overrides', request.overrides === undefined ? null : request.overrides.join(', ')],
    ['hold', holdText(request)],
    ['base', base],
    ['digest', shortDigest(style, digest)],
    ['place', placeText(request)],
    ['affects', affectedServices.length === 0 ? null : affectedServices.join(', ')],
    ['config', config === null ? null : `${config.name}, from outside the repository`],
    ['approval', approval.need === 0 ? null : approvalText(approval, status === 'pending')],
    ['automatic', request.automatic?.seen ?? null],
    ['incident', incident === undefined ? null : incidentText(incident, atomic)],
    ['follows', follows],
    ['cancelled', cancelledText(request)],
    ['superseded', supersededBy === null ? null : `by ${supersededBy}`],
    ...proposedFacts(request),
    ['break-glass', breakGlass === null ? null : breakGlassText(breakGlass)],
    ['result', result === null ? null : resultLine(result)],
  ];
  return facts.flatMap(([name, text]) => (text === null ? [] : [[name, text] as const]));
}

function cancelledText({ cancelled }: RequestView): string | null {
  if (cancelled === undefined) return null;
  const { actor, at, reason } = cancelled;
  return `${minute(at)} by ${personText(actor)}${reason === null ? '' : `: ${reason}`}`;
}

/** A resume returns to no revision. */
function targetText({ rollbackOf: { commit, version }, resume }: RequestView): string | null {
  if (resume) return null;
  return version === null ? commit : `${commit} (v${version})`;
}

/** Where it is to be executed, and that this is not there. */
function placeText({ place, elsewhere }: RequestView): string | null {
  if (place === undefined) return elsewhere ? 'none: it is not executed here (PLACE_DIFFERS)' : null;
  const where = `${place.repository} (${place.branch})`;
  return elsewhere ? `${where}: another one than this, where it is not executed (PLACE_DIFFERS)` : where;
}

/** While it waits to be merged; then the result says how it came. */
function proposedFacts({ pullRequest, proposed, result }: RequestView): [string, string][] {
  if (pullRequest && pullRequest.state !== 'merged')
    return [['pull request', `${pullRequest.url} (${pullRequestText(pullRequest)})`]];
  if (proposed === null || result !== null) return [];
  const what = proposed.via === 'branch' ? 'waits to be merged by a person' : 'waits for its pull request';
  return [['branch', `${proposed.branch} ${what}`]];
}

function holdText({ hold, resume }: RequestView): string | null {
  if (resume) return 'is lifted: automation may move it again';
  if (!hold) return null;
  return hold.seconds === null ? 'until it is resumed' : `for ${spanText(hold.seconds)}`;
}

const incidentText = (incident: string, atomic: RequestView['atomic']) =>
  atomic === undefined ? incident : `${incident}, in one push with others or not at all`;

function breakGlassText({ session, ticket, review }: NonNullable<RequestView['breakGlass']>): string {
  const looked =
    review === null
      ? 'waits for a review by another person'
      : `reviewed by ${personText(review.actor)}: ${review.comment}`;
  return [session, ...(ticket === null ? [] : [`ticket ${ticket}`]), looked].join(', ');
}

function resultLine(result: NonNullable<RequestView['result']>): string {
  if (result.status === 'failed') return `failed, ${result.code}: ${result.message}`;
  const commits = [
    ...(result.commit === null ? [] : [`commit ${result.commit}`]),
    ...(result.deliveryCommit === null || result.deliveryCommit === result.commit
      ? []
      : [`manifests in ${short(result.deliveryCommit)}`]),
    ...(result.arrived ? [arrivalText(result.arrived)] : []),
  ];
  return [result.status, ...commits].join(', ');
}

function arrivalText({ how, link, by }: Arrived): string {
  const of = link === null ? '' : ` of pull request ${link.number}`;
  return `by ${how}${of}${by === null ? '' : ` (${by})`}${link === null ? '' : `, ${link.url}`}`;
}

function reviewLine(style: Style, review: ReviewView, request: RequestView): string {
  const { at, decision, actor, authenticated, comment, counts } = review;
  const mark = counts ? '' : `  (does not count${whyNot(review, request)})`;
  const said = comment === null ? '' : `: ${oneLine(comment)}`;
  return `${minute(at)}  ${style.paint(decision === 'approved' ? 'green' : 'red', decision)}  ${style.paint('reset', `${personText(actor)}${authenticationText(authenticated)}${said}`)}${style.paint('dim', mark)}`;
}

function whyNot({ digest, elsewhere, place, identity }: ReviewView, request: RequestView): string {
  if (digest !== request.digest) return ': for an earlier plan';
  if (elsewhere) return place === undefined ? ': for no place' : `: for ${oneLine(place.repository)}`;
  return identity === 'verified' ? '' : ': identity unverified';
}

function next(style: Style, { id, status, breakGlass, proposed, result }: RequestView): string[] {
  const commands = {
    pending: [`backtrail request plan ${id}`, `backtrail request approve ${id}`],
    failed: [`backtrail request retry ${id}`],
    review: [`backtrail break-glass review ${id} --comment TEXT`],
    branch: [`git fetch origin ${proposed?.branch ?? ''} && git log -p HEAD..FETCH_HEAD`],
    other: [],
  };
  const open = breakGlass !== null && breakGlass.review === null;
  const isAlone = proposed?.via === 'branch' && status === 'approved' && result === null;
  const rest = open ? 'review' : isAlone ? 'branch' : 'other';
  const now = status === 'pending' || status === 'failed' ? status : rest;
  const lines = commands[now].map((command) => `  ${style.paint('dim', command)}`);
  return lines.length === 0 ? [] : ['', ...lines];
}

const section = (style: Style, title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : ['', style.paint('bold', title), ...lines.map((line) => `  ${line}`)];

/** ` by token 8k3m…`: how a server knew them; nothing where they wrote it themselves. */
export function authenticationText(authenticated: Authentication | undefined): string {
  if (authenticated === undefined) return '';
  const { how, by } = authenticated;
  if (by === null) return ' by single-user mode';
  return how === 'token' ? ` by token ${oneLine(by)}` : ` by ${oneLine(by)}`;
}

export const personText = ({ name, email }: Person) => oneLine(`${name} <${email}>`);
