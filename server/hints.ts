/**
 * Hints of failures for whoever calls over HTTP: the engine's speak of the command line, which has another word for the same. What whoever runs
 * the server does there stays as it is.
 */
import type { FailureCode } from '../engine/model/failure.ts';

/** Of the command line: an option, or a command. */
const COMMAND_LINE = /(?:^|[\s`(])--[a-z]|\bbacktrail (?!guard`)[a-z]/i;

/** Sent by the command line, which asks for hints as it prints them. */
export const CLIENT_HEADER = 'backtrail-client';
export const COMMAND_LINE_CLIENT = 'command-line';

/** What is done where the server runs, or with the person's own git: by whoever may. */
export const OPERATORS: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'FILTER_UNTRUSTED',
  'FORBIDDEN',
  'HOOK_UNKNOWN',
  'PARTIAL_CLONE',
  'QUEUE_UNAVAILABLE',
  'REPOSITORY_MIRRORS',
  'REPOSITORY_UNKNOWN',
  'REPOSITORY_UNTRUSTED',
  'SHALLOW_TARGET',
  'TOKEN_TOO_NARROW',
  'TOKEN_UNKNOWN',
  'UNAUTHENTICATED',
]);

/** Where nothing better is known. */
export const EVERY_CALL = 'GET /openapi.json describes every call.';

/** Where another word for each part does not make the sentence. */
const SENTENCES: Readonly<Partial<Record<FailureCode, string>>> = {
  INVALID_REQUEST: EVERY_CALL,
  REASON_REQUIRED: 'Give the reason as `justification`; it becomes part of the commit.',
  CONFIG_MISSING: 'Commit .backtrail/config.yaml to the branch; docs/configuration.md describes it.',
  CONFIG_PRESENT: 'Edit it where it is.',
  TARGET_REQUIRED:
    'Name the revision to return to: GET /api/v1/environments/{tenant}/{environment}/history lists them.',
  FIELDS_REQUIRED: 'Name at least one field in `selectedFields`.',
  LAYOUT_UNCLEAR: 'Describe the layout in .backtrail/config.yaml of the branch (docs/layouts.md).',
  IDENTITY_UNVERIFIED:
    'The policy asks for a signature that workers trust: let them list the key of the server, or use the command line with a key of your own.',
  PLACE_DIFFERS:
    'Ask for it again where it is to be executed. `repository` in the configuration names where that is.',
  QUEUE_UNAVAILABLE: 'Whoever runs the server starts Redis, or sets REDIS_URL.',
  REQUEST_EXISTS: 'GET /api/v1/rollbacks/{id} and GET /api/v1/log show the earlier rollback.',
  INTERNAL: 'Please report this with the call that you made.',
  UNAUTHENTICATED:
    'Send `Authorization: Bearer TOKEN`: whoever runs the server makes one with `backtrail token create`, and single-user mode prints its own.',
  CONFIRMATION_REQUIRED: 'Send `digest` of the plan that was looked at.',
  FORBIDDEN: 'Whoever runs the server lets it use the configuration of the branch.',
};

const ENVIRONMENT = '/api/v1/environments/{tenant}/{environment}';

/** The same of the command line and over HTTP. Longer ones go before those that they begin with. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/backtrail request show ID(?: --full)?/g, 'GET /api/v1/rollbacks/{id}'],
  [/backtrail request (retry|cancel|reject|approve) ID/g, 'POST /api/v1/rollbacks/{id}/$1'],
  [/backtrail request show (rbk-\w+)/g, 'GET /api/v1/rollbacks/$1'],
  [/backtrail request plan (rbk-\w+)/g, 'GET /api/v1/rollbacks/$1/plan'],
  [/backtrail request (retry|cancel|reject|approve) (rbk-\w+)/g, 'POST /api/v1/rollbacks/$2/$1'],
  [/backtrail request (retry|cancel|reject|approve)/g, 'POST /api/v1/rollbacks/{id}/$1'],
  [/backtrail request note/g, 'POST /api/v1/rollbacks/{id}/notes'],
  [/backtrail request list --all/g, 'GET /api/v1/rollbacks?state=all'],
  [/backtrail request list/g, 'GET /api/v1/rollbacks'],
  [/backtrail break-glass list/g, 'GET /api/v1/break-glass'],
  [/backtrail deployment list --status (\w+)/g, 'GET /api/v1/deployments?status=$1'],
  [/backtrail deployment list/g, 'GET /api/v1/deployments'],
  [/backtrail deployment show ID/g, 'GET /api/v1/deployments/{id}'],
  [/backtrail deployment record [^`]*/g, 'POST /api/v1/deployments'],
  [/backtrail history [^\s`]+(?: --field FIELD)?/g, `GET ${ENVIRONMENT}/history`],
  [/backtrail show [^\s`]+ HEAD/g, `GET ${ENVIRONMENT}/revisions/HEAD`],
  [/backtrail compare/g, `GET ${ENVIRONMENT}/compare`],
  [/backtrail environments/g, 'GET /api/v1/environments'],
  [/backtrail holds/g, 'GET /api/v1/holds'],
  [/backtrail resume/g, 'POST /api/v1/holds/resume'],
  [/backtrail rollback(?: --queue)?/g, 'POST /api/v1/rollbacks'],
  [/backtrail log --recurring/g, 'GET /api/v1/log?recurring=true'],
  [/backtrail log/g, 'GET /api/v1/log'],
  [/--hold, `backtrail guard`/g, '`"hold": true`, `backtrail guard` of a pipeline'],
  [/--override ([\w-]+)/g, '`"override": ["$1"]`'],
  [/--to (\S+)/g, '`"targetSha": "$1"`'],
  [/--allow-removal/g, '`"allowRemoval": true`'],
  [/--whole-file/g, '`"wholeFile": true`'],
  [/--no-hold/g, '`"hold": false`'],
  [/--hold/g, '`"hold": true`'],
  [/--field\b/g, '`selectedFields`'],
  [/--for\b/g, '`minutes`'],
];

export function httpHint(code: FailureCode, hint: string): string {
  if (!COMMAND_LINE.test(hint)) return hint;
  const said = WORDS.reduce((text, [word, other]) => text.replace(word, other), hint);
  if (!COMMAND_LINE.test(said)) return said;
  return SENTENCES[code] ?? (OPERATORS.has(code) ? hint : EVERY_CALL);
}

/** Whether a hint is one that a caller can follow. */
export const isForCallers = (code: FailureCode, hint: string): boolean =>
  OPERATORS.has(code) || !COMMAND_LINE.test(hint);
