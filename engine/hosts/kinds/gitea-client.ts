import { Api, type HttpResponse } from 'gitea-js';
import { BacktrailError, isFailure } from '../../model/index.ts';
import { refusal } from '../answers.ts';
import type { HostContext } from './context.ts';

/** The client of Gitea and Forgejo, with our way to the host. */
export const openGitea = ({ place, connection }: HostContext) =>
  new Api({
    baseUrl: place.api,
    baseApiParams: { format: 'json' },
    customFetch: (input, init) => connection.fetch(input, init),
  });

/** @throws HOST_UNAVAILABLE, HOST_DENIED, HOST_REFUSED: the client throws what was answered, as it is */
export async function answered<Data>(
  { place, connection }: HostContext,
  asked: Promise<HttpResponse<Data>>,
): Promise<{ readonly data: unknown; readonly headers: Headers }> {
  try {
    const { data, headers } = await asked;
    return { data, headers };
  } catch (error) {
    if (isFailure(error)) throw error;
    const host = { name: place.name, scrub: connection.scrub };
    if (error instanceof Response) {
      const said: unknown = 'error' in error ? error.error : null;
      throw refusal(host, error.status, said instanceof Error ? null : said);
    }
    throw new BacktrailError('HOST_UNAVAILABLE', `${host.name} gave an answer that cannot be read.`);
  }
}
