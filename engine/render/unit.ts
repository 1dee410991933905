/** One service of one environment, or an environment of a layout without services: where it stands, and where its manifests go. Paths are relative to the root of the tree. */
export interface ServiceUnit {
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
  /** Its own folder, e.g. `tenants/acme/production/services/api-gateway`; null when it is only a part of shared files. */
  readonly directory: string | null;
  readonly environmentDirectory: string | null;
  /** Existing files of variables that belong to the environment or the service, general first. */
  readonly variableFiles: readonly string[];
  readonly output: string;
}

export interface Rendered {
  readonly path: string;
  /** One of RENDERERS. */
  readonly renderer: string;
  /** Its name and version as the record says them: `kustomize 5.5.0`. */
  readonly label: string;
  readonly content: string;
}
