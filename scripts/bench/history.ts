import type { Engine } from '../../engine/internal.ts';
import { git, median, say, time } from './measure.ts';
import { serviceName, tenantName } from './repository.ts';
import type { Bench } from './rollback.ts';

/** Our history of a service against the one `git log` that its Bloom filters answer. */
export async function benchHistory(
  engine: Engine,
  { repo, env, size, rounds }: Bench,
  { name, file }: { readonly name: string; readonly file: string },
): Promise<void> {
  const ours: number[] = [];
  const logs: number[] = [];
  for (let round = -2; round < Math.max(5, rounds / 3); round += 1) {
    const tenant = tenantName((round + 2) % size.tenants);
    const service = serviceName((round + 2) % size.services);
    const start = performance.now();
    await engine.history({ scope: `${tenant}/production/${service}`, limit: 20 });
    const elapsed = performance.now() - start;
    const path = `tenants/${tenant}/production/${service}${file}`;
    const options = ['--first-parent', '--raw', '--no-abbrev', '--format=%H', '-n', '20'];
    const log = time(() => git({ cwd: repo, env }, ['log', ...options, 'main', '--', path]));
    if (round < 0) continue;
    ours.push(elapsed);
    logs.push(log);
  }
  const [mine, theirs] = [median(ours), median(logs)];
  say(
    `${name}: ${mine.toFixed(1)} ms, one git log with Bloom filters ${theirs.toFixed(1)} ms   ${(mine / theirs).toFixed(2)} x`,
  );
}
