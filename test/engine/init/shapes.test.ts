import { describe, expect, it } from 'vitest';
import { formatCoordinates } from '../../../engine/model/index.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { propose } from '../../../engine/init/proposal/propose.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';

type Tree = Readonly<Record<string, string>>;

const VALUES = 'image:\n  repository: registry.example.com/app\n  tag: v1.2.3\nreplicaCount: 2\n';
const OVERLAY =
  'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [ ../../base ]\n';
const DEPLOYMENT =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec: { template: { spec: { containers: [ { name: api, image: "a:1" } ] } } }\n';
const application = (path: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: x }\nspec: { source: { path: ${path}, targetRevision: v1 } }\n`;

/** The same text at every path that `{0}`, `{1}` … make, each standing for one name of its list. */
function files(path: string, text: string, ...names: (readonly string[])[]): Tree {
  const paths = names.reduce(
    (made, list, index) => made.flatMap((one) => list.map((name) => one.replaceAll(`{${index}}`, name))),
    [path],
  );
  return Object.fromEntries(paths.map((one) => [one, text]));
}

async function proposed(tree: Tree) {
  const proposal = await propose(memoryTree(tree).view);
  const config = parseConfig(proposal.text, 'proposal');
  return {
    ...proposal,
    clear: proposal.chosen !== null,
    config,
    layout: { environment: config.layout.environment, service: config.layout.service },
    ignore: config.layout.ignore,
    names: proposal.found.map(formatCoordinates),
    codes: proposal.findings.map(({ code }) => code),
  };
}

const ENVIRONMENTS = ['staging', 'production'];
const SERVICES = ['api', 'web', 'worker'];
const eachService = ENVIRONMENTS.flatMap((environment) => [
  environment,
  ...SERVICES.map((service) => `${environment}/${service}`),
]).sort();

describe('a proposal', () => {
  it('finds tenants, environments and services, each in a folder, and a part of a shared file', async () => {
    const variables = 'services:\n  api: { tag: v1 }\n  web: { tag: v2 }\n';
    const { clear, layout, names, config, codes } = await proposed({
      ...files(
        'tenants/{0}/{1}/services/{2}/service.yaml',
        VALUES,
        ['acme', 'globex'],
        ENVIRONMENTS,
        SERVICES,
      ),
      ...files('tenants/{0}/{1}/services/{2}/secrets/x.enc.yaml', 'a: 1\n', ['acme'], ENVIRONMENTS, SERVICES),
      ...files('tenants/{0}/{1}/variables.yaml', variables, ['acme', 'globex'], ENVIRONMENTS),
      ...files('tenants/{0}/{1}/environment.yaml', 'name: x\n', ['acme', 'globex'], ENVIRONMENTS),
      ...files('tenants/{0}/{1}/kustomization.yaml', OVERLAY, ['acme', 'globex'], ENVIRONMENTS),
      ...files('tenants/{0}/{1}/bindings/ingress.yaml', 'kind: Ingress\n', ['acme', 'globex'], ENVIRONMENTS),
      ...files('delivery/{0}/{1}/{2}.yaml', DEPLOYMENT, ['acme', 'globex'], ENVIRONMENTS, SERVICES),
    });
    expect(clear).toBe(true);
    expect(layout).toEqual({
      environment: ['tenants/{tenant}/{environment}/**'],
      service: [
        'tenants/{tenant}/{environment}/services/{service}/**',
        'tenants/{tenant}/{environment}/variables.yaml#/services/{service}',
      ],
    });
    expect(names).toEqual(
      ['acme', 'globex'].flatMap((tenant) => eachService.map((name) => `${tenant}/${name}`)),
    );
    expect(config.fields).toEqual({
      image: 'service.yaml#/image/tag',
      replicas: 'service.yaml#/replicaCount',
    });
    expect(config.keep).toEqual(expect.arrayContaining(['**/secrets/**', '**/*.enc.yaml', 'kind:Secret']));
    expect(codes).toContain('PATTERN_LEFT_OUT');
  });

  it('finds overlays of Kustomize, and takes no base for an environment', async () => {
    const { layout, names } = await proposed({
      ...files('apps/{0}/base/deployment.yaml', DEPLOYMENT, SERVICES),
      ...files('apps/{0}/base/kustomization.yaml', OVERLAY, SERVICES),
      ...files('apps/{0}/overlays/{1}/kustomization.yaml', OVERLAY, SERVICES, ENVIRONMENTS),
    });
    expect(layout).toEqual({ environment: [], service: ['apps/{service}/overlays/{environment}/**'] });
    expect(names).toEqual(eachService);
  });

  it('finds overlays of a single service', async () => {
    const { layout, names } = await proposed({
      'apps/api/base/deployment.yaml': DEPLOYMENT,
      ...files('apps/api/overlays/{0}/kustomization.yaml', OVERLAY, ENVIRONMENTS),
    });
    expect(layout.service).toEqual(['apps/{service}/overlays/{environment}/**']);
    expect(names).toEqual(['production', 'production/api', 'staging', 'staging/api']);
  });

  it('finds folders of services below folders of environments', async () => {
    const { layout, names } = await proposed(
      files('environments/{0}/{1}/values.yaml', VALUES, ENVIRONMENTS, SERVICES),
    );
    expect(layout).toEqual({
      environment: ['environments/{environment}/**'],
      service: ['environments/{environment}/{service}/**'],
    });
    expect(names).toEqual(eachService);
  });

  it('finds environments at the root, and ignores what stands beside them', async () => {
    const { layout, names, ignore } = await proposed({
      ...files('{0}/{1}/values.yaml', VALUES, ENVIRONMENTS, SERVICES),
      ...files('charts/{0}/Chart.yaml', 'name: x\n', SERVICES),
      'scripts/tools/run.yaml': 'a: 1\n',
      'README.md': '# Hello\n',
    });
    expect(layout).toEqual({ environment: ['{environment}/**'], service: ['{environment}/{service}/**'] });
    expect([...ignore.environment].sort()).toEqual(['charts', 'scripts']);
    expect(names).toEqual(eachService);
  });

  it('finds environments in the names of values files', async () => {
    const { layout, names, config } = await proposed({
      ...files('apps/{0}/values-{1}.yaml', VALUES, SERVICES, ENVIRONMENTS),
      ...files('apps/{0}/values.yaml', VALUES, SERVICES),
      ...files('apps/{0}/Chart.yaml', 'name: x\nversion: 1.0.0\n', SERVICES),
    });
    expect(layout).toEqual({ environment: [], service: ['apps/{service}/values-{environment}.yaml'] });
    expect(names).toEqual(eachService);
    expect(config.fields['image']).toBe('values-{environment}.yaml#/image/tag');
  });

  it('finds services in front of environments in the names of files', async () => {
    const { layout, names } = await proposed(
      files('deploy/{0}-{1}.yaml', DEPLOYMENT, SERVICES, ENVIRONMENTS),
    );
    expect(layout.service).toEqual(['deploy/{service}-{environment}.yaml']);
    expect(names).toEqual(eachService);
  });

  it('finds files without an ending', async () => {
    const { layout, names } = await proposed({
      ...files('charts/app-config/image-tags/{0}/{1}', 'v1.2.3\n', ENVIRONMENTS, SERVICES),
      'charts/app-config/Chart.yaml': 'name: app-config\n',
    });
    expect(layout).toEqual({
      environment: ['charts/app-config/image-tags/{environment}/**'],
      service: ['charts/app-config/image-tags/{environment}/{service}'],
    });
    expect(names).toEqual(eachService);
  });

  it('looks past the sources of a monorepo', async () => {
    const { layout, names } = await proposed({
      ...files('packages/{0}/package.json', '{}', SERVICES),
      ...files('packages/{0}/src/index.ts', 'export {}\n', SERVICES),
      ...files('packages/{0}/test/cases.yaml', 'a: 1\n', SERVICES),
      'test/e2e/config.yaml': 'a: 1\n',
      'tsconfig.json': '{}',
      ...files('deploy/{0}/{1}/kustomization.yaml', OVERLAY, ENVIRONMENTS, SERVICES),
      'deploy/base/kustomization.yaml': OVERLAY,
    });
    expect(layout).toEqual({
      environment: ['deploy/{environment}/**'],
      service: ['deploy/{environment}/{service}/**'],
    });
    expect(names).toEqual(eachService);
  });

  it('finds the applications of an app of apps', async () => {
    const { layout, names } = await proposed({
      ...files('argocd/{0}/{1}.yaml', application('charts/x'), ENVIRONMENTS, SERVICES),
      ...files('argocd/{0}.yaml', application('argocd/x'), ['root-app']),
      ...files('charts/{0}/values.yaml', VALUES, SERVICES),
      ...files('charts/{0}/Chart.yaml', 'name: x\n', SERVICES),
    });
    expect(layout.environment).toEqual(['argocd/{environment}/**']);
    expect(layout.service).toEqual(['argocd/{environment}/{service}.yaml']);
    expect(names).toEqual(eachService);
  });

  it('takes what wires a cluster for no service', async () => {
    const wiring =
      'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: apps }\nspec: { path: ./apps }\n';
    const release =
      'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: api }\nspec: { chart: { spec: { version: "1.2" } } }\n';
    const { layout, names, ignore } = await proposed({
      ...files('clusters/{0}/{1}.yaml', wiring, ENVIRONMENTS, ['apps', 'monitoring']),
      ...files('apps/{0}/{1}.yaml', release, ENVIRONMENTS, SERVICES),
      ...files('apps/{0}/kustomization.yaml', OVERLAY, ['base', ...ENVIRONMENTS]),
      ...files('apps/base/{0}/release.yaml', release, SERVICES),
    });
    expect(layout.service).toEqual(['apps/{environment}/{service}.yaml']);
    expect(ignore).toEqual({ tenant: [], environment: ['base'], service: ['kustomization'] });
    expect(names).toEqual(eachService);
  });

  it('finds files that list their releases, whatever their folder and environments are called', async () => {
    const releases =
      'repositories:\n- { name: stable, url: "https://example.com" }\nreleases:\n- { name: api, chart: a/b, version: 1.0.0 }\n- { name: web, chart: a/c, version: 2.0.0 }\n';
    const { layout, names, config } = await proposed({
      ...files('helm/{0}.yaml', releases, ['antares', 'vega']),
      ...files('settings/{0}/{1}.yaml', 'replicaCount: 1\n', ['antares', 'vega'], ['api', 'web']),
    });
    expect(layout).toEqual({
      environment: ['helm/{environment}.yaml', 'settings/{environment}/**'],
      service: ['helm/{environment}.yaml#/releases[name={service}]', 'settings/{environment}/{service}.yaml'],
    });
    expect(names).toEqual(['antares', 'antares/api', 'antares/web', 'vega', 'vega/api', 'vega/web']);
    expect(config.fields['version']).toBe('#/version');
  });

  it('finds a single environment', async () => {
    const { layout, names } = await proposed(
      files('clusters/homelab/{0}/helmrelease.yaml', VALUES, SERVICES),
    );
    expect(layout.service).toEqual(['clusters/{environment}/{service}/**']);
    expect(names).toEqual(['homelab', ...SERVICES.map((service) => `homelab/${service}`)]);
  });

  it('says that an environment without services can be rolled back as a whole only', async () => {
    const { layout, names, codes } = await proposed({
      ...files('k8s/overlays/{0}/kustomization.yaml', OVERLAY, ENVIRONMENTS),
      'k8s/base/deployment.yaml': DEPLOYMENT,
    });
    expect(layout).toEqual({ environment: ['k8s/overlays/{environment}/**'], service: [] });
    expect(names).toEqual(['production', 'staging']);
    expect(codes).toContain('NO_SERVICES');
  });

  it('knows environments of one project by what else their names say', async () => {
    const { layout, names } = await proposed(
      files('{0}/{1}/values.yaml', VALUES, ['acme-staging', 'acme-prod-eu-west-1'], SERVICES),
    );
    expect(layout.service).toEqual(['{environment}/{service}/**']);
    expect(names).toContain('acme-prod-eu-west-1/api');
  });

  it('finds services in front of environments in the names of folders', async () => {
    const { layout, names } = await proposed(
      files('deploy/{0}-{1}/values.yaml', VALUES, SERVICES, ENVIRONMENTS),
    );
    expect(layout).toEqual({ environment: [], service: ['deploy/{service}-{environment}/**'] });
    expect(names).toEqual(eachService);
  });

  it('leaves it open whether regions between an environment and its services go back together', async () => {
    const proposal = await propose(
      memoryTree(
        files('envs/{0}/{1}/{2}/values.yaml', VALUES, ENVIRONMENTS, ['us-east-1', 'eu-west-1'], SERVICES),
      ).view,
    );
    expect(proposal.chosen).toBeNull();
    expect(proposal.findings.map(({ message }) => message)).toEqual([
      'The tree has more levels than names: envs/production/eu-west-1/api and envs/production/us-east-1/api would both be production/api, and go back together.',
    ]);
    expect(proposal.options[0]?.found.map(formatCoordinates)).toEqual(eachService);
  });

  it('says so where a tree is one environment without a name', async () => {
    const { layout, names, ignore, codes } = await proposed({
      ...files('cluster-a/apps/{0}/deployment.yaml', DEPLOYMENT, SERVICES),
      'cluster-a/bootstrap/root.yaml': application('cluster-a/apps'),
    });
    expect(layout.service).toEqual(['cluster-a/{environment}/{service}/**']);
    expect(ignore.environment).toEqual(['bootstrap']);
    expect(names).toEqual(['apps', ...SERVICES.map((service) => `apps/${service}`)]);
    expect(codes).toContain('ONE_ENVIRONMENT');
  });

  it('takes folders beside environments for environments where they hold the same, and only then', async () => {
    const { names, ignore } = await proposed({
      ...files('deploy/{0}/{1}/values.yaml', VALUES, [...ENVIRONMENTS, 'antares'], SERVICES),
      'deploy/monitoring/prometheus/values.yaml': VALUES,
    });
    expect(names).toContain('antares/api');
    expect(ignore.environment).toEqual(['monitoring']);
  });

  it('joins places that hold services of the same environments', async () => {
    const { layout, names } = await proposed({
      ...files('apps/{0}/{1}/deployment.yaml', DEPLOYMENT, ENVIRONMENTS, SERVICES),
      ...files('infrastructure/{0}/{1}/values.yaml', VALUES, ENVIRONMENTS, ['cert-manager', 'ingress']),
    });
    expect(layout.environment).toEqual(['apps/{environment}/**', 'infrastructure/{environment}/**']);
    expect(names.filter((name) => name.startsWith('staging/'))).toEqual(
      ['api', 'cert-manager', 'ingress', 'web', 'worker'].map((service) => `staging/${service}`),
    );
  });

  it('finds environments whose names are no words, in values files of the root and of most services', async () => {
    const sites = ['lowland', 'ridge', 'harbour', 'summit'];
    const { clear, layout, names } = await proposed({
      ...files('sites/values-{0}.yaml', 'domain: example.com\n', sites),
      ...files('charts/{0}/values-{1}.yaml', VALUES, SERVICES, sites.slice(0, 3)),
      ...files('charts/{0}/values.yaml', VALUES, [...SERVICES, 'mail']),
      ...files('charts/{0}/Chart.yaml', 'name: x\n', [...SERVICES, 'mail']),
      ...files('charts/{0}/values-{1}.yaml', VALUES, ['mail'], ['summit', 'ridge']),
    });
    expect(clear).toBe(true);
    expect(layout.environment).toEqual(['sites/values-{environment}.yaml']);
    expect(layout.service).toEqual(['charts/{service}/values-{environment}.yaml']);
    expect(names).toContain('summit/mail');
    expect(names).not.toContain('harbour/mail');
  });

  it('finds clusters below services, where each holds other ones, and takes no base for one', async () => {
    const { clear, names } = await proposed({
      ...files('components/{0}/base/kustomization.yaml', OVERLAY, SERVICES),
      ...files('components/api/{0}/kustomization.yaml', OVERLAY, ['ocp-a1', 'ocp-b2', 'ocp-c3']),
      ...files('components/web/{0}/kustomization.yaml', OVERLAY, ['ocp-a1', 'ocp-c3']),
      ...files('components/worker/{0}/kustomization.yaml', OVERLAY, ['ocp-a1', 'ocp-b2', 'ocp-c3']),
    });
    expect(clear).toBe(true);
    expect(names).toContain('ocp-b2/worker');
    expect(names.filter((name) => name.includes('base'))).toEqual([]);
  });

  it('names no field that only one of several services has', async () => {
    const { config } = await proposed({
      ...files('envs/{0}/{1}/settings.yaml', 'debug: true\n', ENVIRONMENTS, SERVICES),
      ...files('envs/{0}/web/values.yaml', VALUES, ENVIRONMENTS),
    });
    expect(config.fields).toEqual({});
  });
});

describe('a proposal where nothing is clear', () => {
  it.each<[string, Tree]>([
    ['an empty tree', {}],
    ['a library', { 'src/index.ts': '', 'package.json': '{}', 'test/unit/case.yaml': 'a: 1\n' }],
    [
      'services whose names hold a word',
      files('apps/{0}/values.yaml', VALUES, ['dev-portal', 'live-chat', 'api']),
    ],
    ['a monorepo of services', files('services/{0}/openapi.yaml', 'openapi: 3.0.0\n', SERVICES)],
    [
      'one chart',
      { 'Chart.yaml': 'name: x\n', 'values.yaml': VALUES, 'templates/deployment.yaml': DEPLOYMENT },
    ],
  ])('gives a template and says so: %s', async (_, tree) => {
    const { clear, codes, names } = await proposed(tree);
    expect(clear).toBe(false);
    expect(codes).toEqual(['LAYOUT_UNCLEAR']);
    expect(names).toEqual([]);
  });
});
