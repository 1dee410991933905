/** Starts a Redis, prints what it got, and then stays until it is killed (or ends without stopping it). */
import { LOCAL_KINDS, startRedis } from '../../../scripts/redis.ts';

const [kind, then] = process.argv.slice(2);
const { pid, folder } = await startRedis({ only: LOCAL_KINDS.filter((each) => each === kind) });
process.stdout.write(`${JSON.stringify({ pid, folder })}\n`);
if (then === 'stay') setInterval(() => undefined, 60_000);
