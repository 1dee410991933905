import { type Shape, SHAPES } from '../../../engine/internal.ts';
import { DEPLOYMENT, OVERLAY, RELEASE, type Tree, VALUES, WIRING } from './tree-files.ts';

const APPLICATION =
  'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: x }\nspec: { source: { path: x, targetRevision: v1 } }\n';
const LIST = `environments:
- name: production
  services: { api: { image: "api:v1" }, web: { image: "web:v1" } }
- name: staging
  services: { api: { image: "api:v2" }, web: { image: "web:v2" } }
`;
const MAP =
  'environments:\n  production: { image: "a:v1", replicas: 3 }\n  staging: { image: "a:v2", replicas: 1 }\n';

/** What stands in the file of an example. */
function textOf(shape: Shape, path: string): string {
  if (shape.name === 'list-key') return LIST;
  if (shape.name === 'map-key') return MAP;
  if (shape.name === 'argocd-apps') return APPLICATION;
  if (path.startsWith('clusters/')) return WIRING;
  if (path.endsWith('kustomization.yaml')) return OVERLAY;
  if (path.endsWith('Chart.yaml')) return 'name: api\nversion: 1.0.0\n';
  if (path === 'helmfile.yaml') return 'environments: { production: {}, staging: {} }\nreleases: []\n';
  if (path.endsWith('.tfvars')) return 'replicas = 2\n';
  if (shape.name === 'flux-clusters') return RELEASE;
  return /^(?:base|deploy)\/|\/base\//.test(path) ? DEPLOYMENT : VALUES;
}

/** The example of each shape as a tree. */
export const SHAPE_TREES = SHAPES.map((shape: Shape): [string, Shape, Tree] => [
  shape.name,
  shape,
  Object.fromEntries(shape.example.map((path) => [path, textOf(shape, path)])),
]);
