/** Deliveries of code hosts: they carry no facts, and only cause one more look at the pull requests. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { BacktrailError, type Engine } from '../../engine/index.ts';
import type { Logger } from '../../workers/index.ts';
import { createHookLooks } from '../hooks/looks.ts';
import { type HookHost, isProven } from '../hooks/proof.ts';
import type { Metrics } from '../operation/metrics.ts';
import { answers, type App } from './route.ts';

export interface HookInput {
  readonly engine: Engine;
  /** By the name under which they deliver. */
  readonly hooks?: ReadonlyMap<string, HookHost> | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
  /** The ledger may have changed. */
  readonly onLooked: () => void;
}

const accepted = z.object({ status: z.literal('accepted') }).meta({ id: 'Accepted' });

const DESCRIPTION = `Looks at the pull requests of Backtrail soon; the answer does not wait for it. The body is what the host sends, with the host's own proof:
\`X-Hub-Signature-256\` of GitHub, \`X-Gitea-Signature\` of Gitea and Forgejo, \`webhook-signature\` or else \`X-Gitlab-Token\` of GitLab.`;

export async function addHooks(app: FastifyInstance, input: HookInput): Promise<void> {
  const { engine, hooks = new Map<string, HookHost>(), metrics, logger, now, onLooked } = input;
  const looks = createHookLooks({
    look: async () => {
      await engine.requests.reconcile({ asksHost: true });
      onLooked();
    },
    logger,
  });
  app.addHook('preClose', () => looks.close());
  await app.register(async (apart) => {
    // What is signed is the bytes, not what they mean.
    apart.removeAllContentTypeParsers();
    apart.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) =>
      done(null, bytes),
    );
    const described: App = apart.withTypeProvider();
    described.post(
      '/hooks/:host',
      {
        schema: {
          summary: 'A code host says that something happened to a pull request',
          description: DESCRIPTION.replaceAll('\n', ' '),
          tags: ['operation'],
          security: [],
          params: z.object({ host: z.string().min(1).max(260) }),
          response: answers({ 202: accepted }),
        },
      },
      ({ params, body, headers }, reply) => {
        const name = params.host.toLowerCase();
        const host = hooks.get(name);
        if (host === undefined)
          throw new BacktrailError('HOOK_UNKNOWN', 'No code host delivers here under that name.');
        const { kind } = host;
        const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
        if (!isProven(host, { headers, body: bytes, now: now() })) {
          metrics.hook({ kind, result: 'refused' });
          throw new BacktrailError('HOOK_UNPROVEN', 'The delivery does not prove that the host sent it.');
        }
        const isLook = looks.ask(`${name} ${numberIn(bytes)}`);
        metrics.hook({ kind, result: isLook ? 'look' : 'none' });
        return reply.code(202).send({ status: 'accepted' });
      },
    );
  });
}

const number = z.object({ number: z.int() });
const iid = z.object({ iid: z.int() });
const delivery = z.union([
  number.transform((of) => of.number),
  z.object({ pull_request: number }).transform((of) => of.pull_request.number),
  z.object({ merge_request: iid }).transform((of) => of.merge_request.iid),
  z.object({ object_attributes: iid }).transform((of) => of.object_attributes.iid),
]);

/** Of the pull request that it is about; `any` where it does not say one. @throws INVALID_REQUEST */
function numberIn(bytes: Buffer): string {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new BacktrailError('INVALID_REQUEST', 'The delivery is not JSON.');
  }
  const { data } = delivery.safeParse(value);
  return data === undefined ? 'any' : String(data);
}
