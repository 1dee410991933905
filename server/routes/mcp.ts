/** Tools for assistants: the same as those of `backtrail mcp`, for whoever calls. */
import { callerOf, type Routes } from './route.ts';

export interface McpRouteSettings {
  readonly readOnly: boolean;
  readonly version: string;
}

export const mcpRoutes =
  (settings: McpRouteSettings): Routes =>
  (app, { engine }) => {
    const onInternal = (error: unknown) => app.log.error({ err: error, route: '/mcp' }, 'failed');
    app.post('/mcp', { config: { asks: true }, schema: { hide: true } }, async (request, reply) => {
      // To load it takes longer than to start the server.
      const { answerOverHttp } = await import('../../mcp/http.ts');
      const { body, headers } = request;
      request.hasWritten = JSON.stringify(body ?? null).includes('"propose_rollback"');
      const own = Object.entries(headers).filter(
        (each): each is [string, string] => each[0].startsWith('mcp-') && typeof each[1] === 'string',
      );
      const call = new Request('http://localhost/mcp', {
        method: 'POST',
        headers: {
          accept: headers.accept ?? '',
          'content-type': 'application/json',
          ...Object.fromEntries(own),
        },
        body: JSON.stringify(body ?? null),
      });
      const tools = {
        ...settings,
        engine,
        actor: callerOf(request).person,
        server: '',
        offline: () => null,
        onInternal,
      };
      const response = await answerOverHttp(tools, call, body);
      const type = response.headers.get('content-type');
      if (type !== null) void reply.type(type);
      return reply.code(response.status).send(await response.text());
    });
  };
