import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { compileLayout } from '../../../engine/layout/layout.ts';
import { pathProblem, requireOutput } from '../../../engine/layout/outputs.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';

const ENVIRONMENTS = { environment: ['tenants/{tenant}/{environment}/**'] };
const configOf = (output: string, layout: object = ENVIRONMENTS) =>
  parseConfig(JSON.stringify({ version: 1, layout, delivery: { output } }), 'c.yaml');

describe('the place of manifests', () => {
  it.each([
    '.github/workflows/{tenant}-{environment}-{service}.yaml',
    '.gitlab/{tenant}/{environment}/{service}.yml',
    '.gitlab-ci.yml/{tenant}/{environment}/{service}',
    'out/{tenant}/{environment}/{service}/.gitattributes',
    'out/.hidden/{tenant}/{environment}/{service}.yaml',
    '.Backtrail/{tenant}-{environment}-{service}.yaml',
    'out/\u200b.github/{tenant}/{environment}/{service}.yaml',
    'out/\uff0egithub/{tenant}/{environment}/{service}.yaml',
    '{tenant}/{environment}/{service}/CODEOWNERS',
    '{tenant}/{environment}/{service}/CodeOwners',
    '{tenant}/{environment}/{service}/CODEOWNERS.',
    '{tenant}/{environment}/{service}/code\u200cowners',
    '{tenant}/{environment}/{service}/\uff23ODEOWNERS',
    '{tenant}/{environment}/{service}/jenkinsfile ',
    '{tenant}/{environment}/{service}/Jenkinsfile::$DATA',
    'x/{tenant}/{environment}/{service}/Azure-Pipelines.YML',
    'x/{tenant}/{environment}/{service}/bitbucket-pipelines.yml',
    'GITHUB~1/{tenant}/{environment}/{service}.yaml',
  ])('is nothing that git, code hosts or file systems read otherwise: %j', (output) => {
    expect(() => configOf(output)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it.each([
    'tenants/{tenant}/production/services/{service}/from-{environment}.yaml',
    'tenants/{tenant}/{environment}/delivery/{service}.yaml',
  ])('is nothing that a scope holds: %s', (output) => {
    expect(() => configOf(output)).toThrow(/c\.yaml:1:\d+: delivery\.output: The output matches the layout/);
  });

  it.each([
    'delivery/{tenant}/{environment}/{service}.yaml',
    'out/{tenant}.{environment}.{service}.yaml',
    'manifests-v1.2/{tenant}/{environment}/codeowners-{service}.yaml',
  ])('may be anywhere else: %s', (output) => {
    expect(configOf(output).delivery).toEqual({ output });
  });

  it('may be in a folder that the layout ignores', () => {
    const layout = { environment: ['{environment}/**'], ignore: { environment: ['out'] } };
    expect(configOf('out/{environment}/{service}.yaml', layout).delivery).not.toBeNull();
  });

  it('is proved again for the names of one service', async () => {
    const layout = compileLayout(configOf('{tenant}{environment}{service}'));
    const { view } = memoryTree({
      'tenants/acme/prod/x': '1',
      link: { mode: '120000', text: 'tenants' },
      'real/x': '1',
    });
    const codeOf = (path: string) =>
      requireOutput(layout, view, path).then(
        () => null,
        (error: unknown) => error,
      );
    for (const path of ['CODEOWNERS', 'tenants/acme/prod/new', 'link/x.yaml', 'link', 'a/.git/x'])
      expect(await codeOf(path)).toMatchObject({ code: 'OUTPUT_UNSAFE' });
    for (const path of ['real/y', 'new/z', 'acmeprodapi']) expect(await codeOf(path)).toBeNull();
  });

  it('never hides from a scope what only begins like an output', () => {
    const layout = compileLayout(configOf('{tenant}{environment}{service}'));
    expect(layout.isExcluded('tenants/acme/prod/services/api/x')).toBe(false);
    expect(layout.isExcluded('acmeprodapi')).toBe(true);
  });

  it('names what is wrong', () => {
    expect(pathProblem('a/.b')).toBe('No part of the output may start with a dot.');
    expect(pathProblem('a/b.yaml')).toBeNull();
  });
});
