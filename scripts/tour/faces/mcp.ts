/** Tools for assistants, with the official client: over HTTP, and over the standard input and output of `backtrail mcp`. */
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { say } from '../../narrate.ts';
import { claim, MAIN } from '../run.ts';
import type { Example, Face } from './face.ts';
import { at } from './graphql.ts';

const SCOPE = 'acme/staging/notifications';

export const mcp: Face = {
  title: 'An assistant’s tools',
  text: `\`backtrail mcp\` speaks the Model Context Protocol over standard input and output, and \`/mcp\` of a server over HTTP. An assistant can look, plan and propose; it can approve nothing. How to set
it up, and what it is told of texts that others wrote: [assistants](assistants.md). (The fences of its answers stand as \`'''\` here.)`,
  calls: [
    ['`environments`, `history`', '`GET /api/v1/environments`, `GET …/history`'],
    ['`plan`', '`POST /api/v1/plans`, summarised'],
    ['`requests`', '`GET /api/v1/rollbacks`, `GET /api/v1/rollbacks/{id}`'],
    [
      '`propose_rollback`',
      '`POST /api/v1/rollbacks` with `propose: true`, the commit and the digest of a plan, and a key',
    ],
  ],
  run: async ({ url, tokens, location, env }) => {
    const headers = { authorization: `Bearer ${tokens.JANE}` };
    const over = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } });
    const by = (args: readonly string[]) =>
      new StdioClientTransport({
        command: process.execPath,
        args: [MAIN, '--repo', location, ...args],
        env: Object.fromEntries(
          Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined),
        ),
        stderr: 'inherit',
      });
    const planned = await withClient(over, async (client) => {
      const { tools } = await client.listTools();
      const writing = tools.filter(({ annotations }) => annotations?.readOnlyHint !== true);
      claim(writing.map(({ name }) => name).join() === 'propose_rollback', 'One tool writes');
      const plan = await called(client, 'plan', { scope: SCOPE, to: 'v2' });
      const [target, digest] = [at(plan.data, 'target'), at(plan.data, 'digest')];
      const proposal = { scope: SCOPE, target, digest, reason: 'It is slow', key: 'incident-42' };
      const proposed = await called(client, 'propose_rollback', proposal);
      claim(at(proposed.data, 'status') === 'pending', 'It waits, although staging asks for no approval');
      const again = await called(client, 'propose_rollback', proposal);
      claim(at(again.data, 'id') === at(proposed.data, 'id'), 'A key proposes once');
      return { plan, proposed, proposal };
    });
    const read = await withClient(by(['mcp', '--read-only']), async (client) => {
      const { tools } = await client.listTools();
      claim(!tools.some(({ name }) => name === 'propose_rollback'), 'Read-only, it proposes nothing');
      return called(client, 'requests', { id: String(at(planned.proposed.data, 'id')) });
    });
    claim(at(read.data, 'status') === 'pending', 'The request is in the ledger');
    return [
      example('A plan, as an assistant gets it.', 'plan', { scope: SCOPE, to: 'v2' }, planned.plan.text, {
        path: '/api/v1/plans',
        body: {
          tenant: 'acme',
          environment: 'staging',
          service: 'notifications',
          targetSha: 'v2',
          propose: true,
        },
      }),
      example(
        'What was planned is proposed. Staging needs no approval, and it waits for one all the same.',
        'propose_rollback',
        planned.proposal,
        planned.proposed.text,
        {
          path: '/api/v1/rollbacks',
          body: {
            tenant: 'acme',
            environment: 'staging',
            service: 'notifications',
            targetSha: '…',
            digest: 'sha256:…',
            propose: true,
            justification: 'It is slow',
          },
        },
      ),
    ];
  },
};

async function withClient<Value>(
  transport: Transport,
  work: (client: Client) => Promise<Value>,
): Promise<Value> {
  const client = new Client({ name: 'tour', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function called(client: Client, name: string, input: Record<string, unknown>) {
  say(`${name} ${JSON.stringify(input)}`);
  const { content, structuredContent, isError } = await client.callTool({ name, arguments: input });
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  say(`${text}\n`);
  claim(isError !== true, `${name} failed: ${text}`);
  return { text, data: structuredContent };
}

const example = (
  text: string,
  name: string,
  input: object,
  answer: string,
  { path, body }: { readonly path: string; readonly body: object },
): Example => ({
  text,
  call: { language: 'json', code: JSON.stringify({ name, arguments: input }, null, 2) },
  // Its own fence would end the one of the page.
  answer: { language: 'text', code: answer.replaceAll('```', "'''") },
  core: { language: 'http', code: `POST ${path}\n\n${JSON.stringify(body, null, 2)}` },
});
