/** Checks of freezes, features, recurrence and images, as a plan shows them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatedPlan } from '../../../engine/index.ts';
import { engineOf, rollBack } from '../../helpers/repositories/engine.ts';
import { CONFIG, planning } from '../../helpers/repositories/plan-repo.ts';
import { isProof } from '../../helpers/run/proof.ts';
import {
  hasRegistry,
  type ImageRegistry,
  needsRegistry,
  pushImage,
  startRegistry,
} from '../../helpers/servers/image-registry.ts';

const SATURDAY = Date.parse('2026-11-28T12:00:00Z');
const FILE = 'tenants/acme/production/services/api/service.yaml';

/** A service whose tag changed, under a configuration with `more` in it. */
async function stageOf(more: object, { now = SATURDAY, env = {}, files = ['tag: v1', 'tag: v2'] } = {}) {
  const { repo, ids } = await planning(
    files.map((text) => ({ [FILE]: `image:\n  repository: acme/api\n  ${text}\n` })),
    { ...CONFIG, ...more },
  );
  const clock = { now: () => now, sleep: () => Promise.resolve() };
  return { repo, engine: await engineOf(repo, { clock, env }), target: ids[0] ?? '' };
}

async function planUnder(more: object, ask: { override?: string[]; now?: number; scope?: string } = {}) {
  const { now, scope = 'acme/production/api', ...rest } = ask;
  const { engine, target } = await stageOf(more, now === undefined ? {} : { now });
  return engine.rollbacks.plan({ scope, to: target, ...rest });
}

const find = ({ findings }: Pick<GatedPlan, 'findings'>, code: string) =>
  findings.filter((finding) => finding.code === code);

const WINDOW = {
  match: '*/production',
  cron: '0 18 * * FRI',
  duration: '62h',
  rollbacks: 'bound',
};
const frozen = (window: object = {}) => ({ policy: { windows: [{ ...WINDOW, ...window }] } });

describe('WINDOW_CLOSED', () => {
  it('blocks a rollback that a freeze binds, says until when, and can be overridden', async () => {
    const plan = await planUnder(frozen());
    expect(find(plan, 'WINDOW_CLOSED')).toMatchObject([
      {
        severity: 'block',
        message: 'Changes of acme/production are frozen, until 2026-11-30T08:00Z, rollbacks too.',
      },
    ]);
    expect(plan.gate.may.request.allowed).toBe(false);
    const through = await planUnder(frozen(), { override: ['WINDOW_CLOSED'] });
    expect(find(through, 'WINDOW_CLOSED')).toMatchObject([{ severity: 'warn', overridden: true }]);
    expect(through.overrides).toEqual(['WINDOW_CLOSED']);
  });

  it('only tells of a freeze that rollbacks are exempt from', async () => {
    const plan = await planUnder(frozen({ rollbacks: 'exempt' }));
    expect(find(plan, 'WINDOW_CLOSED')).toMatchObject([{ severity: 'info' }]);
    expect(plan.gate.may.request.allowed).toBe(true);
  });

  it.runIf(isProof)('is silent outside of the window, and for other environments', async () => {
    expect(find(await planUnder(frozen(), { now: SATURDAY + 3 * 86_400_000 }), 'WINDOW_CLOSED')).toEqual([]);
    expect(find(await planUnder(frozen({ match: '*/staging' })), 'WINDOW_CLOSED')).toEqual([]);
  });

  it('is judged again when a request is executed', async () => {
    const { engine, target } = await stageOf(frozen(), { now: SATURDAY + 3 * 86_400_000 });
    const planned = await engine.plan({ scope: 'acme/production/api', to: target });
    const late = await stageOf(frozen());
    await expect(
      rollBack(late.engine, { scope: 'acme/production/api', to: late.target }),
    ).rejects.toMatchObject({ code: 'WINDOW_CLOSED' });
    expect(planned.plan.findings.map(({ code }) => code)).not.toContain('WINDOW_CLOSED');
  });
});

describe('MODE_FORBIDDEN', () => {
  it('names the feature and who may change it, and cannot be overridden', async () => {
    const features = { selective_rollback: ['field'] };
    const plan = await planUnder({ features });
    expect(find(plan, 'MODE_FORBIDDEN')).toMatchObject([
      { severity: 'block', message: expect.stringContaining('(feature selective_rollback)') },
    ]);
    expect(find(plan, 'MODE_FORBIDDEN')[0]?.hint).toMatch(/may change \.backtrail\/config\.yaml/);
    await expect(planUnder({ features }, { override: ['MODE_FORBIDDEN'] })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    expect(find(await planUnder({ features }, { scope: 'acme/production' }), 'MODE_FORBIDDEN')).toEqual([]);
  });
});

describe('rollback_approval that is off', () => {
  it('refuses what is proposed for others to decide, and nothing else', async () => {
    const { engine, target } = await stageOf({ features: { rollback_approval: false } });
    const ask = { scope: 'acme/production/api', to: target };
    const proposed = await engine.rollbacks.plan({ ...ask, propose: true });
    expect(proposed.gate.may.request).toMatchObject({
      allowed: false,
      code: 'MODE_FORBIDDEN',
      message: expect.stringContaining('(feature rollback_approval)'),
    });
    const { digest, base } = proposed;
    const { scope } = ask;
    await expect(
      engine.rollbacks.request({ scope, target, digest, base, reason: 'x', propose: true }),
    ).rejects.toMatchObject({ code: 'MODE_FORBIDDEN' });
    expect((await engine.rollbacks.plan(ask)).gate.may.request.allowed).toBe(true);
  });
});

describe('RECURRING', () => {
  it('names the requests, from the third time in thirty days on', async () => {
    const { repo, engine, target } = await stageOf({}, { now: 1_790_000_000_000 + 86_400_000 });
    const ask = { scope: 'acme/production/api', to: target };
    const ids: string[] = [];
    for (const tag of ['v3', 'v4']) {
      expect(find(await engine.rollbacks.plan(ask), 'RECURRING')).toEqual([]);
      ids.unshift((await rollBack(engine, ask)).requestId);
      await repo.replay([{ files: { [FILE]: `image:\n  repository: acme/api\n  tag: ${tag}\n` } }]);
    }
    expect(find(await engine.rollbacks.plan(ask), 'RECURRING')).toMatchObject([
      { severity: 'info', message: expect.stringMatching(`2 times in 30 days: ${ids.join(', ')}.$`) },
    ]);
  });
});

describe('images', () => {
  it('that nobody may ask for are unchecked, and mutable without a digest', async () => {
    const plan = await planUnder({});
    expect(find(plan, 'IMAGE_UNCHECKED')).toMatchObject([
      {
        severity: 'info',
        message: expect.stringMatching(/acme\/api:v1 exists: BACKTRAIL_REGISTRIES lists no/),
      },
    ]);
    expect(find(plan, 'IMAGE_MUTABLE')).toMatchObject([{ severity: 'warn', path: FILE }]);
    expect(
      find(await planUnder({ checks: { IMAGE_MUTABLE: 'off', IMAGE_UNCHECKED: 'off' } }), 'IMAGE_MUTABLE'),
    ).toEqual([]);
  });

  it.runIf(isProof)('that stay the same are not asked for', async () => {
    const digest = `digest: sha256:${'0'.repeat(64)}`;
    const { engine, target } = await stageOf({}, { files: [`${digest}\nx: 1`, `${digest}\nx: 2`] });
    const { findings } = await engine.rollbacks.plan({ scope: 'acme/production/api', to: target });
    expect(findings.filter(({ code }) => code.startsWith('IMAGE_'))).toEqual([]);
  });

  describe.skipIf(!hasRegistry)(`and a registry${needsRegistry}`, () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startRegistry();
      await pushImage(registry.host, 'acme/api', 'v1');
    });
    afterAll(() => registry.close());
    const planTo = async (tag: string, override: string[] = []) => {
      const image = (version: string) => `{ repository: ${registry.host}/acme/api, tag: ${version} }`;
      const { repo, ids } = await planning([
        { [FILE]: `image: ${image(tag)}\n` },
        { [FILE]: `image: ${image('v2')}\n` },
      ]);
      const engine = await engineOf(repo, { env: { BACKTRAIL_REGISTRIES: registry.host } });
      return engine.rollbacks.plan({ scope: 'acme/production/api', to: ids[0] ?? '', override });
    };

    it('that has it let the plan go ahead', async () => {
      const plan = await planTo('v1');
      expect(plan.findings.map(({ code }) => code)).toContain('IMAGE_MUTABLE');
      expect([...find(plan, 'IMAGE_MISSING'), ...find(plan, 'IMAGE_UNCHECKED')]).toEqual([]);
    });

    it('that has not got it block the plan, unless that is overridden', async () => {
      expect(find(await planTo('v0'), 'IMAGE_MISSING')).toMatchObject([{ severity: 'block', path: FILE }]);
      const through = await planTo('v0', ['IMAGE_MISSING']);
      expect(find(through, 'IMAGE_MISSING')).toMatchObject([{ severity: 'warn', overridden: true }]);
    });
  });
});
