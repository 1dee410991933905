/** Resolves ids as typed: complete, or an unambiguous abbreviation. */
import { BacktrailError, isRequestId, isSessionId, type Person, type RequestId } from '../model/index.ts';

interface Requests {
  readonly requests: { ids(filter: { readonly reader: Person }): Promise<readonly RequestId[]> };
}

interface Sessions {
  readonly requests: {
    sessions(reader: Person): Promise<{ readonly sessions: readonly { readonly id: string }[] }>;
  };
}

/** Of those that `reader` may read. @throws REQUEST_UNKNOWN; INVALID_REQUEST where several begin or end so */
export async function findRequestId(engine: Requests, reader: Person, typed: string): Promise<RequestId> {
  const id = completed('rbk', typed);
  if (isRequestId(id)) return id;
  return only('REQUEST_UNKNOWN', typed, matching(await engine.requests.ids({ reader }), id));
}

/** @throws SESSION_UNKNOWN; INVALID_REQUEST where several begin or end so */
export async function findSessionId(engine: Sessions, reader: Person, typed: string): Promise<string> {
  const id = completed('bgs', typed);
  if (isSessionId(id)) return id;
  const { sessions } = await engine.requests.sessions(reader);
  return only(
    'SESSION_UNKNOWN',
    typed,
    matching(
      sessions.map((session) => session.id),
      id,
    ),
  );
}

/** With its prefix, in upper case behind it. */
const completed = (prefix: string, typed: string) =>
  `${prefix}-${typed.replace(new RegExp(`^${prefix}-`, 'i'), '').toUpperCase()}`;

const SHORTEST = 6;

function matching(ids: readonly string[], id: string): string[] {
  const part = id.slice(id.indexOf('-') + 1);
  if (part.length < SHORTEST) return [];
  return ids.filter((known) => known.startsWith(id) || known.endsWith(part));
}

function only(code: 'REQUEST_UNKNOWN' | 'SESSION_UNKNOWN', typed: string, found: readonly string[]): string {
  const [id, other, ...more] = found;
  const shown = JSON.stringify(typed.slice(0, 60));
  const noun = code === 'REQUEST_UNKNOWN' ? 'request' : 'session';
  if (id === undefined)
    throw new BacktrailError(code, `There is no ${noun} ${shown}.`, {
      hint: `An id is shortened to no less than ${SHORTEST} characters of its beginning or end; ${noun === 'request' ? '`backtrail request list --all`' : '`backtrail break-glass list`'} lists them.`,
    });
  if (other === undefined) return id;
  const others = more.length === 0 ? '' : ` or one of ${more.length} more`;
  throw new BacktrailError('INVALID_REQUEST', `${shown} is short for ${id}, ${other}${others}.`, {
    hint: 'Write more of it: the end of an id tells more than its beginning.',
  });
}
