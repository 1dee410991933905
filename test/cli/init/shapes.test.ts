import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backtrail, jsonOf } from '../../helpers/program/cli.ts';
import { createRepo } from '../../helpers/repositories/repo.ts';
import { isProof, someOf } from '../../helpers/run/proof.ts';
import { SHAPE_TREES } from '../../helpers/trees/shape-trees.ts';

const doctor = z.object({
  checks: z.array(
    z.looseObject({ area: z.string(), name: z.string(), status: z.string(), message: z.string() }),
  ),
});

describe('what init commits', () => {
  it.each(someOf(SHAPE_TREES, 2))('passes doctor and init --check, and is short: %s', async (_, __, tree) => {
    const repo = await createRepo();
    await repo.commit(tree);
    expect((await backtrail(repo, ['init', '--yes'])).code).toBe(0);
    const { checks } = jsonOf(await backtrail(repo, ['doctor', '-o', 'json']), doctor);
    const configuration = checks.filter(({ area }) => area === 'configuration');
    expect(configuration.length).toBeGreaterThan(2);
    expect(configuration.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect((await backtrail(repo, ['init', '--check'])).code).toBe(0);
    const text = await repo.git('show', 'HEAD:.backtrail/config.yaml');
    expect(text.split('\n').length).toBeLessThan(20);
    expect(text).toMatch(/^# [a-z-]+: .*\(docs\/layouts\.md\)$/m);
  });

  it('names images and replicas of Kustomize, bindings and where manifests go, where the tree shows them', async () => {
    const repo = await createRepo();
    const kustomization = (service: string) =>
      `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [ ../../../base ]\nimages:\n- { name: registry.example.com/x/${service}, newTag: v1 }\nreplicas:\n- { name: ${service}, count: 3 }\n`;
    const tree: Record<string, string> = {};
    for (const environment of ['production', 'staging'])
      for (const service of ['api', 'web']) {
        tree[`envs/${environment}/services/${service}/kustomization.yaml`] = kustomization(service);
        tree[`envs/${environment}/bindings/ingress.yaml`] = 'kind: Ingress\n';
        tree[`rendered/${environment}/${service}.yaml`] = 'kind: Deployment\n';
      }
    await repo.commit(tree);
    expect((await backtrail(repo, ['init', '--yes'])).code).toBe(0);
    const text = await repo.git('show', 'HEAD:.backtrail/config.yaml');
    expect(text).toContain('  image: "kustomization.yaml#/images/0/newTag"');
    expect(text).toContain('  replicas: "kustomization.yaml#/replicas[name={service}]/count"');
    expect(text).toContain('  bindings:\n    - "**/bindings/**"');
    expect(text).toContain('# delivery: { output: "rendered/{environment}/{service}.yaml" }');
    const { checks } = jsonOf(await backtrail(repo, ['doctor', '-o', 'json']), doctor);
    expect(checks.filter(({ area, status }) => area === 'configuration' && status !== 'ok')).toEqual([]);
    const fields = await backtrail(repo, [
      'show',
      'production/api',
      'v1',
      '--field',
      'image',
      '--field',
      'replicas',
    ]);
    expect(fields.stdout).toContain('v1');
  });

  it.runIf(isProof)('names none of them where the tree does not', async () => {
    const repo = await createRepo();
    await repo.commit({ 'envs/production/a/x.yaml': 'a: 1\n', 'envs/staging/a/x.yaml': 'a: 2\n' });
    expect((await backtrail(repo, ['init', '--yes'])).code).toBe(0);
    const text = await repo.git('show', 'HEAD:.backtrail/config.yaml');
    expect(text).not.toMatch(/fields|bindings|delivery|keep|ignore/);
  });
});
