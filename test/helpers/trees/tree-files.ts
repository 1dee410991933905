/** Trees for `init`, made of paths: small, and of names that no rule knows. */
export type Tree = Readonly<Record<string, string>>;

export const VALUES = 'image:\n  repository: registry.example.com/app\n  tag: v1.2.3\nreplicaCount: 2\n';
export const OVERLAY =
  'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [ ../../base ]\n';
export const DEPLOYMENT =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec: { template: { spec: { containers: [ { name: api, image: "a:1" } ] } } }\n';
export const RELEASE =
  'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: api }\nspec: { chart: { spec: { version: "1.2" } } }\n';
export const WIRING =
  'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: apps }\nspec: { path: ./apps }\n';

/** The same text at every path that `{0}`, `{1}` … make, each standing for one name of its list. */
export function files(path: string, text: string, ...names: (readonly string[])[]): Tree {
  const paths = names.reduce(
    (made, list, index) => made.flatMap((one) => list.map((name) => one.replaceAll(`{${index}}`, name))),
    [path],
  );
  return Object.fromEntries(paths.map((one) => [one, text]));
}
