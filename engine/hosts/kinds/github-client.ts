/** Octokit, with our way to the host and the operator's credentials. */
import { createPrivateKey } from 'node:crypto';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/core';
import { z } from 'zod';
import { BacktrailError, isFailure } from '../../model/index.ts';
import { numbered, readAnswer, refusal } from '../answers.ts';
import type { HostContext } from './context.ts';
import { readKey } from '../operator.ts';

const nothing = () => undefined;
/** Octokit would print. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Where a token is in a file, the connection sends it; an app's is asked for here, by the installation that has the repository. */
export async function openOctokit(context: HostContext): Promise<Octokit> {
  const { place, connection } = context;
  const options = { baseUrl: place.api, log: SILENT, request: { fetch: connection.fetch, log: SILENT } };
  const { credentials } = place;
  if (credentials.kind === 'token') return new Octokit(options);
  const privateKey = await readKey(place.name, credentials.keyFile);
  requireKey(privateKey, place.name);
  const app = { appId: credentials.id, privateKey };
  const asApp = new Octokit({ ...options, authStrategy: createAppAuth, auth: app });
  const [owner = '', repo = ''] = place.repository.split('/');
  const { data } = await answered(
    context,
    asApp.request('GET /repos/{owner}/{repo}/installation', { owner, repo }),
  );
  const { id } = readAnswer(nameOf(context), z.object({ id: numbered }), data);
  return new Octokit({ ...options, authStrategy: createAppAuth, auth: { ...app, installationId: id } });
}

function requireKey(pem: string, name: string): void {
  try {
    createPrivateKey(pem);
  } catch {
    throw new BacktrailError(
      'INVALID_REQUEST',
      `The file with the key of the app for ${name} holds no key.`,
      {
        hint: 'Name the PEM file that GitHub made for the app.',
      },
    );
  }
}

export const nameOf = ({ place, connection }: HostContext) => ({ name: place.name, scrub: connection.scrub });

/** @throws HOST_UNAVAILABLE, HOST_DENIED, HOST_REFUSED: never an error of Octokit's, which holds what was sent */
export async function answered<Value>(context: HostContext, asked: Promise<Value>): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    throw failureOf(context, error);
  }
}

function failureOf(context: HostContext, error: unknown): Error {
  if (isFailure(error)) return error;
  if (error instanceof Error && isFailure(error.cause)) return error.cause;
  const host = nameOf(context);
  const refused = refusedSchema.safeParse(error);
  if (refused.success) return refusal(host, refused.data.status, refused.data.response.data);
  const { data: told } = toldSchema.safeParse(error);
  if (told) return refusal(host, statusOf(told.errors), told);
  return new BacktrailError('HOST_UNAVAILABLE', `${host.name} gave an answer that cannot be read.`);
}

const refusedSchema = z.object({ status: z.number(), response: z.object({ data: z.unknown() }) });
const toldSchema = z.object({
  errors: z.array(z.object({ type: z.string().optional(), message: z.string() })),
});

/** GraphQL answers 200 whatever it thinks. */
function statusOf(errors: z.output<typeof toldSchema>['errors']): number {
  const types = errors.map(({ type }) => type);
  if (types.includes('RATE_LIMITED')) return 503;
  if (types.includes('FORBIDDEN')) return 403;
  return types.includes('NOT_FOUND') ? 404 : 422;
}
