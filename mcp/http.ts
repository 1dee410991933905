/** Tools over HTTP, each call by itself: there are no sessions, and nothing is kept between two calls. */
import { createMcpHandler } from '@modelcontextprotocol/server';
import { createMcpServer, type McpSettings } from './server.ts';

/** Answers one call, of which the caller is known; `body`: as it was parsed. */
export function answerOverHttp(settings: McpSettings, request: Request, body: unknown): Promise<Response> {
  const handler = createMcpHandler(() => createMcpServer(settings), {
    // Nothing changes that a stream would tell of, and none is held open.
    maxSubscriptions: 0,
  });
  return handler.fetch(request, { parsedBody: body });
}
