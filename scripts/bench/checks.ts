/** What the checks add to a plan: the same plans with all of them and with none, in turns. */
import { CHECKS, type Engine } from '../../engine/internal.ts';
import type { Bench } from './rollback.ts';
import { median, say } from './measure.ts';
import { serviceName, tenantName } from './repository.ts';

/** The configuration of the repository, with every check off. */
export const NO_CHECKS = `checks: { ${Object.keys(CHECKS)
  .map((code) => `${code}: "off"`)
  .join(', ')} }\n`;

const WARM_UP = 5;

export async function benchChecks(checked: Engine, bare: Engine, { rounds, size }: Bench): Promise<void> {
  const ratios: number[] = [];
  const times: { with: number; without: number }[] = [];
  for (let number = 0; ratios.length < rounds + WARM_UP && number < 20 * rounds; number += 1) {
    const scope = `${tenantName((number * 7) % size.tenants)}/production/${serviceName(number % size.services)}`;
    const plan = async (engine: Engine) => {
      const start = performance.now();
      const planned = await engine.plan({ scope, hold: false }).catch(() => null);
      return planned === null ? null : performance.now() - start;
    };
    // Whoever is second finds the pages of the pack in memory.
    const order = number % 2 === 0 ? [checked, bare] : [bare, checked];
    const [one, other] = [await plan(order[0] ?? checked), await plan(order[1] ?? bare)];
    if (one === null || other === null) continue;
    const [took, without] = number % 2 === 0 ? [one, other] : [other, one];
    ratios.push(took / without);
    times.push({ with: took, without });
  }
  const measured = times.slice(WARM_UP);
  say(`plan of a service, no checks:  ${median(measured.map((each) => each.without)).toFixed(1)} ms`);
  say(
    `plan of a service, all checks: ${median(measured.map((each) => each.with)).toFixed(1)} ms (${median(ratios.slice(WARM_UP)).toFixed(2)} x, limit 1.30)`,
  );
}
