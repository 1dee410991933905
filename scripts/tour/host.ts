/**
 * The code host of the tests as a process of its own: `host.ts BARE_REPOSITORY`. It sends `{ name, authenticated, url, api, token }` to its parent,
 * and then does what people do on its page: `{ act: 'merge' | 'close' | 'checks', … }`, answered by `{ done: … }` or `{ error }`.
 */
import { z } from 'zod';
import { startHost } from '../../test/helpers/servers/host/host.ts';

const acts = z.discriminatedUnion('act', [
  z.object({ act: z.literal('merge'), number: z.number(), by: z.string() }),
  z.object({ act: z.literal('close'), number: z.number() }),
  z.object({ act: z.literal('checks'), number: z.number(), state: z.enum(['pending', 'green']) }),
]);
export type Act = z.infer<typeof acts>;

const [bare = ''] = process.argv.slice(2);
// What was closed waits a minute for a comment before it counts: on this host's clock all is two minutes ago.
const { now } = Date;
Date.now = () => now() - 120_000;
const host = await startHost({ kind: 'github', bare });

async function perform(act: Act): Promise<void> {
  switch (act.act) {
    case 'merge':
      await host.merge(act.number, { by: act.by, method: 'squash' });
      return;
    case 'close':
      return host.closePull(act.number);
    case 'checks':
      return host.setChecks(act.number, { 'ci / render': { state: act.state, required: true } });
  }
}

process.on('message', (message) => {
  perform(acts.parse(message)).then(
    () => process.send?.({ done: true }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => void host.close());
const { name, authenticated, url, api, token } = host;
process.send?.({ name, authenticated, url, api, token });
