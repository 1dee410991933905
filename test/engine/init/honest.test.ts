import { describe, expect, it } from 'vitest';
import { formatCoordinates } from '../../../engine/model/index.ts';
import { propose } from '../../../engine/init/proposal/propose.ts';
import { type Steering } from '../../../engine/init/proposal/types.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';
import {
  DEPLOYMENT,
  files,
  OVERLAY,
  RELEASE,
  type Tree,
  VALUES,
  WIRING,
} from '../../helpers/trees/tree-files.ts';

const THREE = ['api', 'web', 'worker'];

async function environmentsOf(tree: Tree, steering: Steering = {}) {
  const { chosen, options, findings } = await propose(memoryTree(tree).view, steering);
  const names = (found: (typeof options)[number]['found']) => [
    ...new Set(found.filter(({ service }) => service === undefined).map(formatCoordinates)),
  ];
  return {
    chosen: chosen && names(chosen.found),
    nearest: options.map(({ found }) => names(found)),
    reason: findings.find(({ code }) => code === 'LAYOUT_UNCLEAR')?.message ?? null,
  };
}

/** What is in `chosen` has to be right: there is no half. */
describe('a tree of names that no rule knows', () => {
  it.each<[string, Tree, readonly string[]]>([
    [
      'German',
      files('umgebungen/{0}/{1}/werte.yaml', VALUES, ['produktion', 'abnahme'], ['zahlung', 'lager']),
      ['abnahme', 'produktion'],
    ],
    [
      'Spanish, with accents',
      files('servicios/{0}/{1}.yaml', VALUES, ['pagos', 'usuarios', 'pedidos'], ['producción', 'pruebas']),
      ['producción', 'pruebas'],
    ],
    [
      'Japanese',
      files('環境/{0}/{1}/values.yaml', VALUES, ['本番', '検証'], ['決済', '在庫']),
      ['本番', '検証'],
    ],
    [
      'blanks',
      files('our stages/{0}/{1}/values.yaml', VALUES, ['live stage', 'test stage'], ['the api', 'the web']),
      ['live stage', 'test stage'],
    ],
    [
      'an environment called test',
      files('teams/{0}/{1}/{2}/deployment.yaml', DEPLOYMENT, ['payments', 'search'], ['prod', 'test'], THREE),
      ['payments/prod', 'payments/test', 'search/prod', 'search/test'],
    ],
    [
      'a service with one file for each environment',
      files('{0}/config/{1}/app.yaml', VALUES, THREE, ['prd', 'tst']),
      ['prd', 'tst'],
    ],
    [
      'clusters of a stage and a region',
      files('clusters/{0}-{1}/{2}/release.yaml', RELEASE, ['prod', 'dev'], ['eu', 'us'], THREE),
      ['dev-eu', 'dev-us', 'prod-eu', 'prod-us'],
    ],
    [
      'projects of Argo CD beside overlays',
      {
        ...files('apps/{0}/overlays/{1}/kustomization.yaml', OVERLAY, THREE, ['prod', 'staging']),
        ...files('projects/{0}.yaml', VALUES, ['prod', 'staging']),
        'bootstrap/argo-cd.yaml': VALUES,
      },
      ['prod', 'staging'],
    ],
    [
      'environments of each service, in a folder called environments',
      files('environments/{0}/{1}/main.jsonnet', 'x\n', ['loki', 'tempo', 'mimir'], ['prod', 'dev']),
      ['dev', 'prod'],
    ],
    [
      'services that are keys of a file',
      files('{0}.yaml', 'api: { tag: v1 }\nweb: { tag: v2 }\n', ['prod', 'dev']),
      ['dev', 'prod'],
    ],
    [
      'values of a stage and a region',
      {
        ...files('charts/{0}/values-{1}-{2}.yaml', VALUES, THREE, ['prod', 'stage'], ['eu', 'us']),
        ...files('charts/{0}/Chart.yaml', 'name: x\n', THREE),
      },
      ['prod-eu', 'prod-us', 'stage-eu', 'stage-us'],
    ],
    [
      'one cluster, of services with parts of their own',
      files('apps/{0}/{1}.yaml', DEPLOYMENT, ['billing', 'orders', 'users'], ['app', 'redis']),
      ['apps'],
    ],
    [
      'regions above environments',
      files('{0}/{1}/{2}/values.yaml', VALUES, ['eu-central-1', 'us-west-2'], ['prod', 'stage'], THREE),
      ['eu-central-1/prod', 'eu-central-1/stage', 'us-west-2/prod', 'us-west-2/stage'],
    ],
  ])('is understood: %s', async (_, tree, expected) => {
    expect(await environmentsOf(tree)).toMatchObject({ chosen: expected, reason: null });
  });

  it.each<[string, Tree, RegExp]>([
    [
      'more levels than names',
      files(
        'orgs/{0}/teams/{1}/{2}/{3}/{4}/values.yaml',
        VALUES,
        ['o1', 'o2'],
        ['t1', 't2'],
        ['prod', 'dev'],
        ['eu', 'us'],
        THREE,
      ),
      /^The tree has more levels than names: orgs\/o1\/.* would both be o1\/dev, and go back together\.$/,
    ],
    [
      'services that stand deeper',
      files(
        'scope/overlays/prod/{0}/{1}/kustomization.yaml',
        OVERLAY,
        ['emea', 'moc'],
        ['balrog', 'curator'],
      ),
      /^The tree has more levels than names: scope\/overlays\/prod\/emea holds only folders\.$/,
    ],
    [
      'namespaces that hold the same services',
      {
        ...files(
          'apps/{0}/{1}/{2}.yaml',
          RELEASE,
          ['adoption', 'civil'],
          ['api', 'web'],
          ['prod', 'aat', 'demo'],
        ),
        ...files('clusters/{0}/base/kustomization.yaml', OVERLAY, ['prod', 'aat', 'demo']),
      },
      /^The tree has more levels than names: apps\/.*, and go back together\.$/,
    ],
    [
      'two sets of environments',
      {
        ...files('parts/{0}/overlays/{1}/kustomization.yaml', OVERLAY, THREE, ['default', 'aws', 'gpu']),
        ...files('clusters/overlays/{0}/kustomization.yaml', OVERLAY, ['lab', 'prod', 'hub']),
      },
      /^Two layouts are about as likely: /,
    ],
    [
      'a second group of services beside the only one',
      {
        ...files('apps/{0}/deployment.yaml', DEPLOYMENT, ['plex', 'gitea']),
        ...files('system/{0}/helmrelease.yaml', RELEASE, ['cilium', 'cert-manager']),
      },
      /^2 files stand beside the only environment that it finds\.$/,
    ],
    [
      'services of two clusters in groups',
      files('clusters/{0}/apps/{1}/{2}/release.yaml', RELEASE, ['nas', 'rack'], ['media', 'home'], THREE),
      /^The tree has more levels than names: clusters\/nas\/apps\/home holds only folders\.$/,
    ],
    [
      'regions and nothing else in each environment',
      files('overlays/{0}/{1}/kustomization.yaml', OVERLAY, ['prod', 'stage'], ['eu', 'us']),
      /^The tree has more levels than names: overlays\/prod holds only folders\.$/,
    ],
    [
      'places that a service may name',
      files('{0}/envs/{1}/main.tf', 'x\n', ['network', 'database'], ['prod', 'dev']),
      /may be services of the same environments\.$/,
    ],
    [
      'another ending',
      { ...files('envs/{0}.yaml', VALUES, ['prod', 'dev']), 'envs/qa.yml': VALUES },
      /^envs\/qa\.yml has another ending than envs\/\{environment\}\.yaml\.$/,
    ],
    [
      'folders beside environments in a folder of services',
      {
        ...files('apps/{0}/{1}/values.yaml', VALUES, ['prod', 'dev'], THREE),
        ...files('apps/{0}/x.yaml', DEPLOYMENT, ['scripts2', 'legacy']),
      },
      /./,
    ],
    [
      'stages in each region',
      files('overlays/{0}/{1}/kustomization.yaml', OVERLAY, ['us-east', 'eu-west'], ['prod', 'stage']),
      /^The tree has more levels than names: overlays\/eu-west holds only folders\.$/,
    ],
    [
      'versions of every service',
      files('releases/{0}/{1}/values.yaml', VALUES, ['v1', 'v2', 'v3', 'v4'], ['api', 'web']),
      /^Nothing in the tree is clearly/,
    ],
    [
      'versions',
      files('releases/{0}/{1}.yaml', VALUES, ['v1.0', 'v1.1', 'v2.0'], THREE),
      /^Nothing in the tree is clearly/,
    ],
    ['languages', files('translations/{0}/{1}.yaml', 'hello: x\n', ['de', 'en', 'fr'], ['shop']), /clearly/],
    [
      'test values of charts',
      {
        ...files('charts/{0}/ci/{1}-values.yaml', VALUES, THREE, ['default', 'ha']),
        ...files('charts/{0}/Chart.yaml', 'name: x\n', THREE),
      },
      /^The tree holds charts alone/,
    ],
    [
      'Flux with services named like nothing',
      {
        ...files('clusters/{0}/apps.yaml', WIRING, ['berlin', 'paris']),
        ...files('apps/{0}/{1}/patch.yaml', RELEASE, ['berlin', 'paris'], THREE),
      },
      /^6 files outside of it are named like its environments /,
    ],
  ])('is left open, with the reason: %s', async (_, tree, reason) => {
    const { chosen, reason: said } = await environmentsOf(tree);
    expect(chosen).toBeNull();
    expect(said).toMatch(reason);
  });

  it('offers the folders that hold services as tenants', async () => {
    const tree = files('{0}/{1}/{2}.yaml', DEPLOYMENT, ['prod', 'dev'], ['acme', 'globex'], ['api', 'web']);
    const { nearest } = await environmentsOf(tree);
    expect(nearest).toEqual([
      ['dev', 'prod'],
      ['acme/dev', 'acme/prod', 'globex/dev', 'globex/prod'],
    ]);
  });

  it('finds most of what carries the names that are given, and joins nothing', async () => {
    const tree = {
      ...files('apps/{0}/{1}/{2}.yaml', RELEASE, ['adoption', 'civil'], ['api', 'web'], ['blue', 'green']),
      ...files('clusters/{0}/base/kustomization.yaml', OVERLAY, ['blue', 'green']),
    };
    expect(await environmentsOf(tree, { environments: ['blue', 'green'] })).toMatchObject({
      chosen: ['adoption/blue', 'adoption/green', 'civil/blue', 'civil/green'],
    });
  });

  it('takes every name but a base for an environment where an example says where they stand', async () => {
    const tree = files('apps/{0}/api/values.yaml', VALUES, ['default', 'external-secrets', 'base']);
    const like = [{ path: 'apps/default/api/values.yaml', scope: 'default/api' }];
    expect(await environmentsOf(tree, { like })).toMatchObject({ chosen: ['default', 'external-secrets'] });
  });

  it('is left open where branches are the environments', async () => {
    const tree = files('apps/{0}/deployment.yaml', DEPLOYMENT, ['one', 'two']);
    const branches = ['production', 'staging'];
    expect(await environmentsOf(tree, { branches })).toMatchObject({
      chosen: null,
      reason:
        'The environments seem to be branches (production, staging), and one configuration reads one branch.',
      nearest: [['apps']],
    });
  });
});
