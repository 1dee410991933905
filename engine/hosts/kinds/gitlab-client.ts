/** Gitbeaker, with our way to the host. Its own tries a call again whatever it does, and goes wherever it is led. */
import { Branches, Commits, MergeRequestApprovals, MergeRequests, Projects } from '@gitbeaker/rest';
import { createRequesterFn } from '@gitbeaker/requester-utils';
import { z } from 'zod';
import { refusal } from '../answers.ts';
import type { HostContext } from './context.ts';

const record = z.record(z.string(), z.unknown());
/** What Gitbeaker makes of a call. */
const optionsSchema = z.object({
  method: z.string(),
  body: z.string().optional(),
  searchParams: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

/** Rejects with HOST_UNAVAILABLE, HOST_DENIED, HOST_REFUSED. */
export function openGitbeaker({ place, connection }: HostContext) {
  const host = { name: place.name, scrub: connection.scrub };
  const call = async (endpoint: string, options: unknown) => {
    const { method, body, searchParams, headers } = optionsSchema.parse(options);
    const url = new URL(`${place.api}/${endpoint}`);
    url.search = searchParams ?? '';
    const answer = await connection.fetch(url, {
      method,
      headers: { accept: 'application/json', ...headers },
      ...(body !== undefined && { body }),
    });
    const data = parse(await answer.text());
    if (!answer.ok) throw refusal(host, answer.status, data);
    return { body: data, headers: Object.fromEntries(answer.headers), status: answer.status };
  };
  const requesterFn = createRequesterFn((_, request) => Promise.resolve(request), call);
  // A token is sent by the connection. The address is not used.
  const options = { requesterFn, host: place.api, queryTimeout: null, rateLimits: {} };
  return {
    mergeRequests: new MergeRequests(options),
    approvals: new MergeRequestApprovals(options),
    projects: new Projects(options),
    /** Of its own for this one, Gitbeaker wants another address. */
    pushRule: async (project: string) =>
      (await call(`projects/${encodeURIComponent(project)}/push_rule`, { method: 'GET' })).body,
    branches: new Branches(options),
    commits: new Commits(options),
  };
}

/** Of a list, what is no record is nothing that anybody reads. */
function parse(text: string): Record<string, unknown> | Record<string, unknown>[] | string {
  try {
    const data: unknown = JSON.parse(text);
    if (!Array.isArray(data)) return record.parse(data);
    return data.flatMap((item) => {
      const read = record.safeParse(item);
      return read.success ? [read.data] : [];
    });
  } catch {
    return text;
  }
}
