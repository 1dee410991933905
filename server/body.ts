/** Bodies: JSON that everybody who reads it understands in the same way, and no deeper than any call needs. */
import type { FastifyInstance } from 'fastify';
import { BacktrailError } from '../engine/index.ts';

const DEEPEST = 32;
const HINT = 'GET /openapi.json describes every call.';

export function readBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    // Many clients name the type of a body that they do not send.
    if (text === '') return done(null);
    return parse(request, text, (error, value) => {
      if (error) return done(error);
      const problem = problemIn(text);
      return problem === null
        ? done(null, value)
        : done(new BacktrailError('INVALID_REQUEST', problem, { hint: HINT }));
    });
  });
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/** In valid JSON. Of a name that is there twice one reader takes the first, and another the last. */
function problemIn(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const name = String(JSON.parse(last));
      const names = open.at(-1);
      if (names?.has(name)) return 'The body has a name twice.';
      names?.add(name);
    } else last = token;
    if (open.length > DEEPEST) return 'The body is nested too deeply.';
  }
  return null;
}
