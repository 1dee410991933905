/** The shapes that `init` knows: one table, which the help, the messages and docs/layouts.md are made of. */
import { nearNames } from '../../layout/near-names.ts';

export interface Shape {
  readonly name: string;
  /** One sentence. */
  readonly description: string;
  /** The layout in its short form. */
  readonly layout: { readonly environment?: readonly string[]; readonly service?: readonly string[] };
  /** Paths of a tree of this shape. */
  readonly example: readonly string[];
}

export const SHAPES = [
  {
    name: 'environment-folder',
    description:
      'Each environment is a folder; services are folders or files in it, or the folder of each service holds the environments.',
    layout: {
      environment: ['environments/{environment}/**'],
      service: ['environments/{environment}/{service}/**'],
    },
    example: [
      'environments/production/api/values.yaml',
      'environments/production/web/values.yaml',
      'environments/staging/api/values.yaml',
      'environments/staging/web/values.yaml',
    ],
  },
  {
    name: 'environment-file',
    description: 'Each environment is a file, in a folder of its own kind or in that of each service.',
    layout: { service: ['services/{service}/{environment}.yaml'] },
    example: [
      'services/api/production.yaml',
      'services/api/staging.yaml',
      'services/web/production.yaml',
      'services/web/staging.yaml',
    ],
  },
  {
    name: 'name-suffix',
    description: 'The name of a file or folder ends with the environment.',
    layout: { service: ['deploy/{service}-{environment}.yaml'] },
    example: [
      'deploy/api-production.yaml',
      'deploy/api-staging.yaml',
      'deploy/web-production.yaml',
      'deploy/web-staging.yaml',
    ],
  },
  {
    name: 'name-prefix',
    description: 'The name of a file or folder begins with the environment.',
    layout: { service: ['deploy/{environment}-{service}.yaml'] },
    example: [
      'deploy/production-api.yaml',
      'deploy/production-web.yaml',
      'deploy/staging-api.yaml',
      'deploy/staging-web.yaml',
    ],
  },
  {
    name: 'overlay',
    description: 'Each environment is an overlay of everything, beside a common base.',
    layout: {
      environment: ['overlays/{environment}/**'],
      service: ['overlays/{environment}/{service}/**'],
    },
    example: [
      'base/api/deployment.yaml',
      'overlays/production/api/kustomization.yaml',
      'overlays/production/web/kustomization.yaml',
      'overlays/staging/api/kustomization.yaml',
      'overlays/staging/web/kustomization.yaml',
    ],
  },
  {
    name: 'list-key',
    description: 'Environments are the named items of a list in one file.',
    layout: {
      environment: ['deployments.yaml#/environments[name={environment}]'],
      service: ['deployments.yaml#/environments[name={environment}]/services/{service}'],
    },
    example: ['deployments.yaml'],
  },
  {
    name: 'map-key',
    description: 'Environments are keys of a map: in one file, or in a file of each service.',
    layout: { service: ['services/{service}.yaml#/environments/{environment}'] },
    example: ['services/api.yaml', 'services/web.yaml'],
  },
  {
    name: 'flux-clusters',
    description: 'Flux: a folder a cluster, and folders of the same names for what runs there.',
    layout: {
      environment: ['clusters/{environment}/**', 'apps/{environment}/**'],
      service: ['apps/{environment}/{service}.yaml'],
    },
    example: [
      'apps/base/api/release.yaml',
      'apps/production/api.yaml',
      'apps/staging/api.yaml',
      'clusters/production/apps.yaml',
      'clusters/staging/apps.yaml',
    ],
  },
  {
    name: 'argocd-apps',
    description: 'Argo CD: an Application or ApplicationSet a service, in a folder an environment.',
    layout: {
      environment: ['argocd/{environment}/**'],
      service: ['argocd/{environment}/{service}.yaml'],
    },
    example: [
      'argocd/production/api.yaml',
      'argocd/production/web.yaml',
      'argocd/staging/api.yaml',
      'argocd/staging/web.yaml',
    ],
  },
  {
    name: 'helm-values',
    description: 'Helm: a chart a service, with values for each environment.',
    layout: { service: ['charts/{service}/values-{environment}.yaml'] },
    example: [
      'charts/api/Chart.yaml',
      'charts/api/values.yaml',
      'charts/api/values-production.yaml',
      'charts/api/values-staging.yaml',
    ],
  },
  {
    name: 'helmfile',
    description: 'helmfile: releases in helmfile.yaml, with values for each of its environments.',
    layout: {
      environment: ['environments/{environment}/**'],
      service: ['environments/{environment}/{service}.yaml'],
    },
    example: [
      'helmfile.yaml',
      'environments/production/api.yaml',
      'environments/production/web.yaml',
      'environments/staging/api.yaml',
      'environments/staging/web.yaml',
    ],
  },
  {
    name: 'kustomize-overlays',
    description: 'Kustomize: a folder a service, with a base and an overlay an environment.',
    layout: { service: ['apps/{service}/overlays/{environment}/**'] },
    example: [
      'apps/api/base/deployment.yaml',
      'apps/api/overlays/production/kustomization.yaml',
      'apps/api/overlays/staging/kustomization.yaml',
      'apps/web/base/deployment.yaml',
      'apps/web/overlays/production/kustomization.yaml',
      'apps/web/overlays/staging/kustomization.yaml',
    ],
  },
  {
    name: 'terraform-variables',
    description: 'Terraform: files of variables for each environment.',
    layout: {
      environment: ['variables/{environment}/**'],
      service: ['variables/{environment}/{service}.tfvars'],
    },
    example: [
      'variables/production/network.tfvars',
      'variables/production/database.tfvars',
      'variables/staging/network.tfvars',
      'variables/staging/database.tfvars',
    ],
  },
] as const satisfies readonly Shape[];

export type ShapeName = (typeof SHAPES)[number]['name'];

export const describeShape = (name: ShapeName): string =>
  SHAPES.find((shape) => shape.name === name)?.description ?? name;

export const isShapeName = (name: string): name is ShapeName => SHAPES.some((shape) => shape.name === name);

/** The names nearest to one that is none. */
export function nearShapes(name: string): string[] {
  const names = SHAPES.map((shape) => shape.name);
  const near = nearNames(name, names);
  const words = name.toLowerCase().split(/[^a-z]+/);
  const sharing = names.filter((known) =>
    words.some((word) => word.length > 2 && known.split('-').some((own) => own.startsWith(word))),
  );
  return [...new Set([...near, ...sharing])].slice(0, 3);
}

/** What says which shape a layout has. */
interface Traits {
  readonly patterns: readonly string[];
  readonly hasHelmfile: boolean;
  /** Kinds of Argo CD or Flux among what its files hold. */
  readonly kinds: ReadonlySet<string>;
}

export function shapeOf({ patterns, hasHelmfile, kinds }: Traits): ShapeName {
  const [first = ''] = patterns;
  const [path = '', selector = ''] = first.split(/#(.*)/s);
  if (/\[[\w-]+=\{environment\}\]/.test(selector)) return 'list-key';
  if (selector.includes('{environment}')) return 'map-key';
  if (patterns.some((pattern) => /\.(?:tfvars(?:\.json)?|tf|hcl)$/.test(pattern)))
    return 'terraform-variables';
  const names = path.split('/');
  const at = names.findIndex((name) => name.includes('{environment}'));
  const name = names[at] ?? '';
  if (hasHelmfile && !name.includes('{service}')) return 'helmfile';
  const [before = '', after = ''] = name.split('{environment}');
  if (/(?:^|[-_.])values[-_.]$/.test(before) || /^[-_.]values(?:\.|$)/.test(after)) return 'helm-values';
  if (/^overlays?$/i.test(names[at - 1] ?? ''))
    return names.slice(0, at).some((part) => part.includes('{service}')) ? 'kustomize-overlays' : 'overlay';
  if (before !== '') return 'name-suffix';
  if (/^[-_.][^.]*[^.\w]?/.test(after) && after.replace(/^\.(?:ya?ml|json|toml|env|properties)$/, '') !== '')
    return 'name-prefix';
  if (kinds.has('Application') || kinds.has('ApplicationSet')) return 'argocd-apps';
  if (kinds.has('Flux')) return 'flux-clusters';
  return after === '' ? 'environment-folder' : 'environment-file';
}
