/** `Status` objects: what an API server answers instead of what was asked for. */
import { qualifiedName } from './resources.ts';
import type { ApiRequest, Reply } from './types.ts';

interface Failure {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const statusObject = ({ code, reason, message, details }: Failure): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  ...(details !== undefined && { details }),
  code,
});

const failure = (failed: Failure): Reply => ({
  status: failed.code,
  body: statusObject(failed),
  ...(failed.headers !== undefined && { headers: failed.headers }),
});

export const unauthorized = (): Reply =>
  failure({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });

export function forbidden(request: ApiRequest, user: string): Reply {
  const { type, verb, name, namespace, path } = request;
  if (type === null)
    return failure({
      code: 403,
      reason: 'Forbidden',
      message: `forbidden: User "${user}" cannot ${verb} path "${path}"`,
    });
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const subject = `${qualifiedName(type)} ${name === '' ? '' : `"${name}" `}is forbidden`;
  return failure({
    code: 403,
    reason: 'Forbidden',
    message: `${subject}: User "${user}" cannot ${verb} resource "${type.resource}" in API group "${type.group}" ${scope}`,
    details: detailsOf(request),
  });
}

export const notFound = (request: ApiRequest): Reply =>
  request.type === null
    ? { status: 404, body: '404 page not found\n', headers: { 'content-type': 'text/plain; charset=utf-8' } }
    : failure({
        code: 404,
        reason: 'NotFound',
        message: `${qualifiedName(request.type)} "${request.name}" not found`,
        details: detailsOf(request),
      });

export const conflict = (request: ApiRequest): Reply =>
  failure({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${request.type === null ? '' : qualifiedName(request.type)} "${request.name}": the object has been modified; please apply your changes to the latest version and try again`,
    details: detailsOf(request),
  });

export const alreadyExists = (request: ApiRequest): Reply =>
  failure({
    code: 409,
    reason: 'AlreadyExists',
    message: `${request.type === null ? '' : qualifiedName(request.type)} "${request.name}" already exists`,
    details: detailsOf(request),
  });

export const expired = (): Reply =>
  failure({
    code: 410,
    reason: 'Expired',
    message: 'The provided continue parameter is too old to display a consistent list result.',
  });

/** What a watch says instead of an event. */
export const tooOld = (message: string): object => statusObject({ code: 410, reason: 'Expired', message });

/** `retryAfter` in seconds: kubectl asks ten times more. */
export const tooManyRequests = (retryAfter: number): Reply =>
  failure({
    code: 429,
    reason: 'TooManyRequests',
    message: 'Too many requests, please try again later.',
    details: { retryAfterSeconds: retryAfter },
    headers: { 'retry-after': String(retryAfter) },
  });

export const badRequest = (message: string): Reply => failure({ code: 400, reason: 'BadRequest', message });

export const unsupported = (message: string, code = 405): Reply =>
  failure({ code, reason: code === 405 ? 'MethodNotAllowed' : 'UnsupportedMediaType', message });

export const internalError = (): Reply =>
  failure({
    code: 500,
    reason: 'InternalError',
    message: 'Internal error occurred: etcdserver: request timed out',
  });

const detailsOf = ({ name, type }: ApiRequest) => ({
  ...(name !== '' && { name }),
  ...(type !== null && type.group !== '' && { group: type.group }),
  kind: type?.resource ?? '',
});
