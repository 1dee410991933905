/** What `npm run tour:api` asks a server, in order, and docs/api.md shows: one call a step. */

export interface Step {
  /** Starts a part of its own. */
  readonly title?: string;
  /** What it is for, as the page says it. */
  readonly text: string;
  readonly who: 'JANE' | 'BOB' | null;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the server's address; `$NAME` is what an earlier step kept. */
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Names of what the answer holds, for later steps: `{ ID: 'requestId' }`. */
  readonly keep?: Readonly<Record<string, string>>;
  /** What of the answer is shown, as paths with dots; all where absent. */
  readonly show?: readonly string[];
  /** What the answer has to hold: paths with dots. */
  readonly holds?: Readonly<Record<string, unknown>>;
  /** What happens before it, done by the tour itself. */
  readonly before?: 'hook-on' | 'hook-off' | 'bad-deploy';
  /** Asked again until the answer holds that. */
  readonly polls?: true;
  /** Server-sent events: so many are read. */
  readonly events?: number;
}

const API = '/api/v1';
const PRODUCTION = `${API}/environments/acme/production`;
const GATEWAY = { tenant: 'acme', environment: 'production', service: 'api-gateway' };

export const STEPS: readonly Step[] = [
  {
    title: 'Looking',
    text: 'Who the server takes you for. Every call below /api/v1 needs a token ([serving](serving.md)).',
    who: 'JANE',
    path: `${API}/me`,
    status: 200,
    holds: { 'person.email': 'jane@example.com', how: 'token' },
  },
  {
    text: 'What there is. `-` stands for no tenant in addresses.',
    who: 'JANE',
    path: `${API}/environments`,
    status: 200,
    show: ['environments.0', 'tenants'],
  },
  {
    text: 'The revisions of a service, newest first; `next` is the `cursor` of the next page.',
    who: 'JANE',
    path: `${PRODUCTION}/services/api-gateway/history?limit=2`,
    status: 200,
    show: [
      'scope',
      'total',
      'next',
      'revisions.0.version',
      'revisions.0.subject',
      'revisions.0.current',
      'revisions.1.version',
    ],
  },
  {
    text: 'What differs between two of them. Values of secrets are masked everywhere.',
    who: 'JANE',
    path: `${PRODUCTION}/compare?service=api-gateway&from=previous`,
    status: 200,
    show: ['fromVersion', 'toVersion', 'changes'],
  },
  {
    title: 'A rollback that others approve',
    text: 'What it would change, and who has to agree; nothing is written.',
    who: 'JANE',
    method: 'POST',
    path: `${API}/plans`,
    body: { ...GATEWAY, targetSha: 'previous' },
    status: 200,
    keep: { DIGEST: 'digest', TARGET: 'target' },
    show: [
      'scope',
      'target',
      'targetVersion',
      'digest',
      'impact.files',
      'gate.needsApproval',
      'gate.approvers',
    ],
    holds: { 'gate.needsApproval': true },
  },
  {
    text: 'Ask for it. The same `Idempotency-Key` with the same body is the same rollback, however often it is sent.',
    who: 'JANE',
    method: 'POST',
    path: `${API}/rollbacks`,
    headers: { 'Idempotency-Key': 'incident-4711' },
    body: { ...GATEWAY, targetSha: '$TARGET', digest: '$DIGEST', justification: 'v2.1.0 answers 500' },
    status: 201,
    keep: { ID: 'requestId' },
    show: ['requestId', 'status', 'scope', 'approval'],
    holds: { status: 'pending' },
  },
  {
    text: 'Your own you cannot approve.',
    who: 'JANE',
    method: 'POST',
    path: `${API}/rollbacks/$ID/approve`,
    body: {},
    status: 403,
    holds: { detail: 'cannot approve/reject your own rollback request', code: 'OWN_REQUEST' },
  },
  {
    text: 'Another person approves what they looked at. The call waits up to 30 seconds for the execution: 200 when it is done, 202 while it goes on.',
    who: 'BOB',
    method: 'POST',
    path: `${API}/rollbacks/$ID/approve`,
    body: { comment: 'v2.0.5 was fine', digest: '$DIGEST' },
    status: 200,
    show: ['id', 'status', 'approval.have', 'result'],
    holds: { status: 'completed' },
  },
  {
    title: 'An execution that fails',
    text: 'The branch now refuses pushes. Jane asks for another rollback …',
    before: 'hook-on',
    who: 'JANE',
    method: 'POST',
    path: `${API}/rollbacks`,
    body: {
      tenant: 'acme',
      environment: 'production',
      service: 'checkout',
      targetSha: 'previous',
      justification: 'It is slow',
    },
    status: 201,
    keep: { SECOND: 'requestId' },
    show: ['requestId', 'status'],
  },
  {
    text: '… and Bob approves it: his vote is saved, and the rollback failed.',
    who: 'BOB',
    method: 'POST',
    path: `${API}/rollbacks/$SECOND/approve`,
    body: {},
    status: 500,
    show: ['title', 'status', 'detail', 'code', 'hint'],
    holds: { detail: 'approval saved but rollback execution failed' },
  },
  {
    text: 'The branch takes pushes again: retry executes it, without another vote.',
    before: 'hook-off',
    who: 'JANE',
    method: 'POST',
    path: `${API}/rollbacks/$SECOND/retry`,
    body: {},
    status: 200,
    show: ['id', 'status', 'result.status'],
    holds: { status: 'completed' },
  },
  {
    title: 'Records of deployments',
    text: 'A pipeline records what it deployed.',
    who: 'JANE',
    method: 'POST',
    path: `${API}/deployments`,
    body: { ...GATEWAY, status: 'deployed', note: 'Deployed by hand' },
    status: 201,
    keep: { DEPLOYMENT: 'id' },
    show: ['id', 'scope', 'version', 'status', 'images'],
  },
  {
    text: 'Later another version is deployed, and recorded. The way back to a record is a rollback like any other.',
    before: 'bad-deploy',
    who: 'JANE',
    method: 'POST',
    path: `${API}/deployments/$DEPLOYMENT/restore`,
    body: { justification: 'v9 answers nothing' },
    status: 201,
    keep: { THIRD: 'requestId' },
    show: ['requestId', 'status', 'scope'],
  },
  {
    text: 'She changes her mind.',
    who: 'JANE',
    method: 'POST',
    path: `${API}/rollbacks/$THIRD/cancel`,
    body: { reason: 'It is not the deployment' },
    status: 200,
    show: ['id', 'status'],
    holds: { status: 'cancelled' },
  },
  {
    title: 'Break-glass',
    text: 'At 3 am nobody else is there: a session, with a reason and an end.',
    who: 'JANE',
    method: 'POST',
    path: `${API}/break-glass`,
    body: {
      tenant: 'acme',
      environment: 'production',
      justification: 'Payments are down',
      ticket: 'INC-2041',
      minutes: 30,
    },
    status: 201,
    keep: { SESSION: 'id' },
    show: ['id', 'scope', 'active', 'ticket'],
  },
  {
    text: 'While it is open, rollbacks need no approval.',
    who: 'JANE',
    method: 'POST',
    path: `${API}/rollbacks`,
    body: { ...GATEWAY, targetSha: 'previous', justification: 'v9 answers nothing' },
    status: 202,
    keep: { FOURTH: 'requestId' },
    show: ['requestId', 'status'],
  },
  {
    text: 'A worker executes it; the record says how it ended.',
    who: 'JANE',
    path: `${API}/rollbacks/$FOURTH`,
    status: 200,
    polls: true,
    show: ['id', 'status', 'breakGlass'],
    holds: { status: 'completed' },
  },
  {
    text: 'She ends it early.',
    who: 'JANE',
    method: 'DELETE',
    path: `${API}/break-glass/$SESSION`,
    status: 200,
    show: ['id', 'active'],
    holds: { active: false },
  },
  {
    text: 'Another person reviews what was done.',
    who: 'BOB',
    method: 'POST',
    path: `${API}/break-glass/$FOURTH/review`,
    body: { comment: 'Right thing to do' },
    status: 200,
    show: ['id', 'breakGlass.review.comment'],
  },
  {
    title: 'The record',
    text: 'Everything that happened, as it happens, and what came before by `Last-Event-ID`.',
    who: 'BOB',
    path: `${API}/events?after=0`,
    status: 200,
    events: 3,
  },
  {
    text: 'Every rollback made again from Git alone, and compared.',
    who: 'BOB',
    method: 'POST',
    path: `${API}/audit/verify`,
    body: {},
    status: 200,
    show: ['checked', 'honest', 'tampered', 'unverifiable', 'ledger.problems'],
    holds: { tampered: 0, unverifiable: 0 },
  },
];

/** The line to type. Values that earlier answers gave are variables of the shell. */
export function curlOf({ who, method = 'GET', path, body, headers = {}, events }: Step): string {
  const words = [
    'curl -sS',
    ...(events === undefined ? [] : ['-N']),
    ...(who === null ? [] : [`-H "Authorization: Bearer $${who}"`]),
    ...Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`),
    ...(method === 'GET' || (method === 'POST' && body !== undefined) ? [] : [`-X ${method}`]),
    ...(body === undefined ? [] : [`--json ${quoted(JSON.stringify(body))}`]),
    `"$SERVER${path}"`,
  ];
  return words.join(' ');
}

/** Variables are filled in between double quotes alone. */
function quoted(json: string): string {
  if (!json.includes('$')) return `'${json.replaceAll("'", `'\\''`)}'`;
  return `"${json.replace(/["\\`]/g, '\\$&')}"`;
}
