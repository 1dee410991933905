import { describe, expect, it } from 'vitest';
import { formatCoordinates } from '../../../engine/model/index.ts';
import { propose } from '../../../engine/init/proposal/propose.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';
import { DEPLOYMENT, files, OVERLAY, type Tree, VALUES, WIRING } from '../../helpers/trees/tree-files.ts';

const TWO = ['api', 'web'];
const STAGES = ['dev', 'prod'];

async function outcome(tree: Tree) {
  const { chosen, options, findings } = await propose(memoryTree(tree).view);
  return {
    chosen: chosen && {
      environments: [
        ...new Set(chosen.found.filter(({ service }) => service === undefined).map(formatCoordinates)),
      ],
      services: [...new Set(chosen.found.flatMap(({ service }) => service ?? []))],
    },
    nearest: options.map(({ layout }) => (layout.service[0] ?? layout.environment[0])?.text),
    reason: findings.find(({ code }) => code === 'LAYOUT_UNCLEAR')?.message,
  };
}

describe('a tree as they are made in the field', () => {
  it.each<[string, Tree, readonly string[], readonly string[]]>([
    [
      'clusters that a git generator reads',
      files('clusters/{0}/config.json', '{ "cluster": { "name": "x" } }\n', [
        'eng-dev',
        'eng-prod',
        'fin-prod',
      ]),
      ['eng-dev', 'eng-prod', 'fin-prod'],
      [],
    ],
    [
      'stages of Kargo beside their base',
      {
        ...files('stages/{0}/kustomization.yaml', OVERLAY, ['test', 'uat', 'prod']),
        'base/kustomization.yaml': OVERLAY,
        'kargo/stages.yaml': 'apiVersion: kargo.akuity.io/v1alpha1\nkind: Stage\nmetadata: { name: test }\n',
      },
      ['prod', 'test', 'uat'],
      [],
    ],
    [
      'environments of a helmfile, and values of each release',
      {
        'helmfile.yaml': 'environments: { prod: {}, staging: {} }\nreleases: []\n',
        ...files('environments/{0}/values.yaml', VALUES, ['prod', 'staging']),
        ...files('releases/{0}/values.{1}.yaml', VALUES, TWO, ['prod', 'staging']),
      },
      ['prod', 'staging'],
      TWO,
    ],
    [
      'components beside bases and overlays',
      {
        ...files('components/{0}/kustomization.yaml', 'kind: Component\n', ['tls', 'monitoring']),
        ...files('base/{0}/deployment.yaml', DEPLOYMENT, TWO),
        ...files('overlays/{0}/{1}/kustomization.yaml', OVERLAY, STAGES, TWO),
      },
      STAGES,
      TWO,
    ],
    [
      'a fleet of clusters in regions',
      files(
        'fleet/{0}/{1}/values.yaml',
        VALUES,
        ['prod-eu-west-1', 'prod-us-east-1', 'staging-eu-west-1'],
        TWO,
      ),
      ['prod-eu-west-1', 'prod-us-east-1', 'staging-eu-west-1'],
      TWO,
    ],
    [
      'bundles of Rancher Fleet',
      {
        ...files('bundles/{0}/fleet.yaml', 'namespace: x\n', ['api', 'db', 'web']),
        ...files('bundles/{0}/overlays/{1}/deployment_patch.yaml', DEPLOYMENT, ['api', 'db', 'web'], STAGES),
      },
      STAGES,
      ['api', 'db', 'web'],
    ],
    [
      'environments of Tanka',
      {
        ...files('environments/{0}/{1}', '{}\n', STAGES, ['main.jsonnet', 'spec.json']),
        'lib/k.libsonnet': '{}\n',
      },
      STAGES,
      [],
    ],
    [
      'sealed secrets beside the services',
      {
        ...files('secrets/{0}/{1}.sealed.yaml', 'kind: SealedSecret\n', STAGES, TWO),
        ...files('apps/{0}/{1}/deployment.yaml', DEPLOYMENT, TWO, STAGES),
      },
      STAGES,
      TWO,
    ],
    [
      'previews of pull requests beside environments',
      {
        ...files('apps/{0}/{1}/values.yaml', VALUES, TWO, STAGES),
        ...files('previews/{0}/values.yaml', VALUES, ['pr-1', 'pr-2', 'pr-9']),
      },
      STAGES,
      TWO,
    ],
    [
      'clusters of OpenShift',
      {
        ...files(
          'clusters/overlays/{0}/{1}/kustomization.yaml',
          OVERLAY,
          ['ocp-dev', 'ocp-prod'],
          ['oauth', 'x'],
        ),
        ...files('cluster-config/{0}/base/kustomization.yaml', OVERLAY, ['oauth', 'x']),
      },
      ['ocp-dev', 'ocp-prod'],
      ['oauth', 'x'],
    ],
    [
      'namespaces of a service and a stage',
      files('{0}-{1}/{2}.yaml', DEPLOYMENT, ['payments', 'checkout'], STAGES, ['deployment', 'service']),
      STAGES,
      ['checkout', 'payments'],
    ],
    [
      'teams, each with environments',
      files('teams/{0}/{1}/{2}.yaml', DEPLOYMENT, ['team-a', 'team-b'], STAGES, TWO),
      ['team-a/dev', 'team-a/prod', 'team-b/dev', 'team-b/prod'],
      TWO,
    ],
  ])('is understood: %s', async (_, tree, environments, services) => {
    const { chosen, reason } = await outcome(tree);
    expect({ chosen, reason }).toEqual({
      chosen: { environments, services: [...services].sort() },
      reason: undefined,
    });
  });

  it.each<[string, Tree, RegExp, string | undefined]>([
    [
      'a tenant between environment and services',
      files('{0}/{1}/{2}.yaml', DEPLOYMENT, STAGES, ['acme', 'globex'], TWO),
      /^dev\/acme and its like hold api, web, which may be the services\.$/,
      '{environment}/{tenant}/{service}.yaml',
    ],
    [
      'the same with values',
      files('{0}/{1}/{2}.yaml', VALUES, STAGES, ['acme', 'globex'], TWO),
      /which may be the services\.$/,
      '{environment}/{tenant}/{service}.yaml',
    ],
    [
      'a tenant between environment and folders of services',
      files('{0}/{1}/{2}/values.yaml', VALUES, STAGES, ['acme', 'globex'], TWO),
      /^The tree has more levels than names/,
      '{environment}/{tenant}/{service}/**',
    ],
    [
      'namespaces of a group and a stage that hold several services',
      files('{0}-{1}/{2}.yaml', DEPLOYMENT, ['payments', 'checkout'], STAGES, ['api', 'worker']),
      /which may be the services\.$/,
      '{tenant}-{environment}/{service}.yaml',
    ],
    [
      'namespaces that no word tells from services',
      files('namespaces/{0}/{1}/{2}.yaml', DEPLOYMENT, ['payments', 'search', 'mail'], TWO, ['deployment']),
      /^Nothing in the tree is clearly an environment/,
      'namespaces/{environment}/{service}/**',
    ],
    [
      'clusters beside a deployment of other environments',
      {
        ...files('clusters/{0}/{1}.yaml', WIRING, ['prod', 'staging'], ['apps', 'infra']),
        ...files('deploy/{0}/{1}/deployment.yaml', DEPLOYMENT, STAGES, TWO),
      },
      /^Two layouts are about as likely/,
      'deploy/{environment}/{service}/**',
    ],
    [
      'regions and stages of one application',
      files('overlays/{0}/{1}/kustomization.yaml', OVERLAY, ['us-east', 'eu-west'], ['prod', 'staging']),
      /^Two layouts are about as likely/,
      'overlays/{environment}/**',
    ],
    [
      'stages, regions and modules of Terragrunt',
      files(
        'live/{0}/{1}/{2}/terragrunt.hcl',
        'x\n',
        ['prod', 'stage'],
        ['eu-west-1', 'us-east-1'],
        ['vpc', 'eks'],
      ),
      /^The tree has more levels than names/,
      'live/{environment}/{tenant}/{service}/**',
    ],
    [
      'a program in Ruby',
      {
        Gemfile: 'x\n',
        ...files('config/environments/{0}.rb', 'x\n', ['production', 'development']),
        'config/database.yml': 'production: { adapter: x }\ndevelopment: { adapter: x }\n',
      },
      /^The tree is the source code of an application \(Gemfile\), and nothing in it says where that is deployed\.$/,
      undefined,
    ],
    [
      'settings of a program',
      { Gemfile: 'x\n', ...files('config/settings/{0}.yml', 'a: 1\n', ['production', 'staging']) },
      /^config\/settings\/\{environment\}\.yml is the configuration of an application whose source code is here \(Gemfile\)/,
      'config/settings/{environment}.yml',
    ],
    [
      'settings of programs in a monorepo',
      files('services/{0}', 'a: 1\n', [
        'shop/package.json',
        'shop/config/production.yml',
        'shop/config/development.yml',
      ]),
      /configuration of an application whose source code is here \(package\.json\)/,
      undefined,
    ],
  ])('is left open: %s', async (_, tree, reason, candidate) => {
    const { chosen, reason: said, nearest } = await outcome(tree);
    expect(chosen).toBeNull();
    expect(said).toMatch(reason);
    expect(nearest).toEqual(expect.arrayContaining(candidate === undefined ? [] : [candidate]));
  });
});
