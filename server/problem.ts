/** Failures as problem documents (RFC 9457), by the one table of failures: nothing is decided here. */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply } from 'fastify';
import { RequestValidationError } from 'fastify-zod-openapi';
import { BacktrailError, FAILURES, type FailureCode, isFailure } from '../engine/model/failure.ts';
import { CLIENT_HEADER, COMMAND_LINE_CLIENT, httpHint } from './hints.ts';

/** `application/problem+json`. */
export interface ProblemDocument {
  /** An address that tells codes apart; nothing is served there. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** One sentence. */
  readonly detail: string;
  readonly code: FailureCode;
  /** What can be done. */
  readonly hint: string;
  /** What else is known, as in the command line's JSON. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What the framework itself refuses, as our codes: by the status that it gives. */
const REFUSED: Readonly<
  Record<number, { readonly code: FailureCode; readonly detail?: string; readonly hint: string }>
> = {
  400: { code: 'INVALID_REQUEST', hint: 'GET /openapi.json describes every call.' },
  404: { code: 'INVALID_REQUEST', hint: 'GET /openapi.json lists the calls.' },
  405: { code: 'INVALID_REQUEST', hint: 'GET /openapi.json lists the calls.' },
  408: { code: 'INVALID_REQUEST', detail: 'The request took too long to arrive.', hint: 'Send it again.' },
  413: { code: 'INVALID_REQUEST', detail: 'The body is too large.', hint: 'Send at most one mebibyte.' },
  414: { code: 'INVALID_REQUEST', detail: 'The address is too long.', hint: 'Name less at once.' },
  415: {
    code: 'INVALID_REQUEST',
    detail: 'A body has to be JSON.',
    hint: 'Send it as Content-Type: application/json.',
  },
  431: { code: 'INVALID_REQUEST', detail: 'The headers are too large.', hint: 'Send fewer of them.' },
};

/** The document of anything that was thrown. What nobody foresaw says nothing of itself: it may hold anything. */
export function problemOf(thrown: unknown): ProblemDocument {
  if (isFailure(thrown)) return documentOf(thrown, FAILURES[thrown.code].status);
  if (isRefusal(thrown)) {
    const { statusCode = 400, validation } = thrown;
    const rule = REFUSED[statusCode] ?? REFUSED[400];
    const issue = validation?.find((each) => each instanceof RequestValidationError);
    const detail =
      issue === undefined
        ? (rule?.detail ?? 'The request is not valid.')
        : sentenceOf(thrown.validationContext, issue);
    const hint = rule?.hint ?? '';
    return documentOf(new BacktrailError(rule?.code ?? 'INVALID_REQUEST', detail, { hint }), statusCode);
  }
  return documentOf(
    new BacktrailError('INTERNAL', 'Something unexpected failed; the log of the server has more.'),
    500,
  );
}

/** Sends it, with a hint for whoever calls. */
export function sendProblem(reply: FastifyReply, thrown: unknown): FastifyReply {
  const found = problemOf(thrown);
  const isOurs = reply.request.headers[CLIENT_HEADER] === COMMAND_LINE_CLIENT;
  const problem = isOurs ? found : { ...found, hint: httpHint(found.code, found.hint) };
  if (problem.code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer');
  const { retryAfter } = problem.details ?? {};
  if (typeof retryAfter === 'number') void reply.header('retry-after', String(retryAfter));
  return reply.code(problem.status).type('application/problem+json').send(problem);
}

function documentOf({ code, message, hint, details }: BacktrailError, status: number): ProblemDocument {
  return {
    type: `https://backtrail.dev/problems/${code}`,
    title: STATUS_CODES[status] ?? 'Client Closed Request',
    status,
    detail: message,
    code,
    hint,
    ...(Object.keys(details).length > 0 && { details }),
  };
}

/** Thrown by the framework for what a client sent. */
function isRefusal(thrown: unknown): thrown is FastifyError {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return false;
  return typeof thrown.statusCode === 'number' && thrown.statusCode >= 400 && thrown.statusCode < 500;
}

/** `body/mode: …`, without what was sent. */
function sentenceOf(context: string | undefined, issue: RequestValidationError): string {
  const where = `${context ?? 'request'}${issue.instancePath}`;
  return `${where} is not valid: ${issue.message.split('\n')[0] ?? ''}`.slice(0, 300);
}
